#include "adapters/http/tls.h"

#include "adapters/host/secret_file.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

#include <fstream>
#include <iterator>
#include <utility>

namespace mayfly::adapters {

namespace {

namespace ssl = boost::asio::ssl;
using Error = boost::system::error_code;

std::string contents_of(const std::string& file, std::string& wrong) {
  std::ifstream in(file, std::ios::binary);
  in.peek();  // a folder can be opened, and not be read
  if (in.fail()) wrong = "the certificate's file " + file + " cannot be read.";
  return wrong.empty() ? std::string(std::istreambuf_iterator<char>(in), {}) : std::string();
}

TlsContext new_context(ssl::context::method side) {
  auto context = std::make_shared<ssl::context>(side);
  ::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  ::SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);  // of connections that wait
  return context;
}

}  // namespace

TlsCertificate::TlsCertificate(std::string certificates, std::string key)
    : certificates_file_(std::move(certificates)), key_file_(std::move(key)) {}

TlsCertificate::Files TlsCertificate::read() const {
  Files files;
  files.certificates = contents_of(certificates_file_, files.wrong);
  if (files.wrong.empty()) files.wrong = read_secret_file(key_file_, files.key);
  return files;
}

std::optional<std::string> TlsCertificate::read_if_changed() {
  auto files = read();
  if (files == before_) return std::nullopt;
  before_ = files;
  if (!files.wrong.empty()) return files.wrong;
  Error wrong;
  auto context = new_context(ssl::context::tls_server);
  // A key that needs a password is an error: OpenSSL would ask the terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, wrong);
  context->use_certificate_chain(boost::asio::buffer(files.certificates), wrong);
  if (wrong) return certificates_file_ + " holds no certificate as PEM: " + wrong.message() + ".";
  context->use_private_key(boost::asio::buffer(files.key), ssl::context::pem, wrong);
  if (wrong) return key_file_ + " holds no key of " + certificates_file_ + " as PEM: " + wrong.message() + ".";
  const std::scoped_lock lock(mutex_);
  context_ = std::move(context);
  return std::string();
}

TlsContext TlsCertificate::context() const {
  const std::scoped_lock lock(mutex_);
  return context_;
}

TlsContext tls_trust(const std::string& authorities, std::string& wrong) {
  auto context = new_context(ssl::context::tls_client);
  context->set_verify_mode(ssl::verify_peer);
  Error failed;
  if (authorities.empty()) {
    context->set_default_verify_paths(failed);
    if (failed) wrong = "this machine's certificate authorities cannot be read: " + failed.message() + ".";
  } else {
    context->load_verify_file(authorities, failed);
    if (failed) wrong = authorities + " holds no certificate authorities as PEM: " + failed.message() + ".";
  }
  return wrong.empty() ? context : nullptr;
}

}  // namespace mayfly::adapters
