// TLS 1.2 and later, by OpenSSL: the certificate that a server shows, and the authorities that a client trusts.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace mayfly::adapters {

/// What a connection needs to speak TLS. It holds what it was made of for as long as a connection uses it.
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// A server's certificate and key, from two PEM files that may be replaced while it serves. Any thread may use it.
class TlsCertificate {
 public:
  /// `certificates`: a file with the server's own certificate first, then those between it and its root. `key`: a file
  /// that only its owner may read (adapters/host/secret_file.h). Reads nothing yet.
  TlsCertificate(std::string certificates, std::string key);

  /// Reads the files. Nothing where they are as they were when they were last read; else a sentence why they cannot be
  /// used, or an empty one: new connections use what they hold. What was used before stays in use while they cannot be.
  [[nodiscard]] std::optional<std::string> read_if_changed();

  /// Null before the files were read.
  [[nodiscard]] TlsContext context() const;

 private:
  struct Files {
    std::string certificates, key;  // what they hold
    std::string wrong;              // or why that is not known
    bool operator==(const Files&) const = default;
  };
  [[nodiscard]] Files read() const;

  const std::string certificates_file_;
  const std::string key_file_;
  std::optional<Files> before_;
  mutable std::mutex mutex_;  // guards what follows
  TlsContext context_;
};

/// For a client that trusts the authorities of a PEM file; of this machine, where `authorities` is empty. Null with
/// `wrong`, a sentence, where they cannot be read.
[[nodiscard]] TlsContext tls_trust(const std::string& authorities, std::string& wrong);

}  // namespace mayfly::adapters
