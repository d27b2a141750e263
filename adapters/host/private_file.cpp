#include "adapters/host/private_file.h"

#include "adapters/host/file_error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace mayfly::adapters {

namespace {

constexpr mode_t owner_only = S_IRUSR | S_IWUSR;

/// What root makes in another user's folder is that user's, who would be locked out of it else.
int give_to_owner_of_folder(const std::string& file, int descriptor) {
  struct stat folder {};
  if (::geteuid() != 0 || ::stat(folder_of(file).c_str(), &folder) != 0 || folder.st_uid == 0) return 0;
  return ::fchown(descriptor, folder.st_uid, folder.st_gid);
}

}  // namespace

std::optional<FileIdentity> identity_of(const std::string& file) {
  struct stat is {};
  if (::lstat(file.c_str(), &is) != 0) return std::nullopt;
  return FileIdentity{is.st_dev, is.st_ino};
}

std::optional<uid_t> owner_of(const std::string& file) {
  struct stat is {};
  if (::lstat(file.c_str(), &is) != 0) return std::nullopt;
  return is.st_uid;
}

std::optional<std::int64_t> room_beside(const std::string& file) {
  struct statvfs is {};
  if (::statvfs(folder_of(file).c_str(), &is) != 0) return std::nullopt;
  return static_cast<std::int64_t>(is.f_bavail) * static_cast<std::int64_t>(is.f_frsize);
}

std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

int open_private(const std::string& file, events::LogStatus& status) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, owner_only);
  if (descriptor < 0) {
    status = file_error(file, errno);
    return -1;
  }
  struct stat is {};
  const auto refuse = [&](events::LogStatus why) {
    status = std::move(why);
    ::close(descriptor);
    return -1;
  };
  if (::fstat(descriptor, &is) != 0) return refuse(file_error(file, errno));
  if (!S_ISREG(is.st_mode)) return refuse({events::LogError::invalid, file + " is no file. Remove it."});
  const bool ours = is.st_uid == ::geteuid();
  if (!ours && owner_of(folder_of(file)) != is.st_uid) {
    return refuse({events::LogError::invalid, file + " belongs to user " + std::to_string(is.st_uid) +
                                                  ", who could hold it against this one, " +
                                                  std::to_string(::geteuid()) + ". Remove it."});
  }
  const bool open_to_others = (is.st_mode & 07777) != owner_only;
  if (ours &&
      ((open_to_others && ::fchmod(descriptor, owner_only) != 0) || give_to_owner_of_folder(file, descriptor) != 0)) {
    return refuse(file_error(file, errno));
  }
  return descriptor;
}

int open_private_alone(const std::string& file, events::LogStatus& status) {
  const int descriptor = open_private(file, status);
  if (descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  status = errno == EWOULDBLOCK
               ? events::LogStatus{events::LogError::invalid, "Another process writes " + file + " now."}
               : file_error(file, errno);
  ::close(descriptor);
  return -1;
}

bool make_private(const std::string& file, events::LogStatus& status) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, owner_only);
  if (descriptor < 0) {
    if (errno != EEXIST) status = file_error(file, errno);
    return false;
  }
  if (::fchmod(descriptor, owner_only) != 0 || give_to_owner_of_folder(file, descriptor) != 0) {
    status = file_error(file, errno);
  }
  ::close(descriptor);
  return status.ok();
}

}  // namespace mayfly::adapters
