// Whose connections and requests count as one client's.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>

namespace mayfly::adapters {

/// Of IPv4 its address, also where a server that listens on IPv6 sees it as one of those (::ffff:a.b.c.d, RFC 4291,
/// 2.5.5.2); of IPv6 its network of 64 bits.
[[nodiscard]] inline std::uint64_t client_of(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  if (address.is_v4()) return address.to_v4().to_uint();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_uint();
  const auto bytes = v6.to_bytes();
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < sizeof network; ++i) network = network << 8 | bytes[i];
  return network;
}

}  // namespace mayfly::adapters
