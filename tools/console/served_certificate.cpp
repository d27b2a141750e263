#include "tools/console/served_certificate.h"

#include "tools/console/output.h"

namespace mayfly::tools {

std::shared_ptr<adapters::TlsCertificate> served_certificate(const std::string& certificates, const std::string& key,
                                                             std::string& wrong) {
  if (certificates.empty()) return nullptr;
  auto certificate = std::make_shared<adapters::TlsCertificate>(certificates, key);
  wrong = certificate->read_if_changed().value_or("");
  return wrong.empty() ? certificate : nullptr;
}

void renew_certificate(adapters::TlsCertificate* certificate) {
  if (certificate == nullptr) return;
  const auto read = certificate->read_if_changed();
  if (!read) return;
  if (read->empty()) {
    complain("the certificate was read again: new connections are served with it\n");
  } else {
    complain("%s The certificate that was read before is served.\n", read->c_str());
  }
}

const char* scheme_of(const std::shared_ptr<adapters::TlsCertificate>& certificate) {
  return certificate ? "https://" : "http://";
}

}  // namespace mayfly::tools
