// Checked arithmetic and the currencies of ISO 4217 that are in force and have an exponent.
#include "events/rules/money.h"

namespace mayfly::events {

std::optional<Minor> add(Minor a, Minor b) {
  Minor sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

std::optional<Minor> multiply(Minor a, Minor b) {
  Minor product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

namespace {

// Sorted codes, separated by spaces (ISO 4217 list one; tests/unit/events/identity_test.cpp compares).
constexpr std::string_view two_decimals =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
    "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
    "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
    "VES WST XAD XCD XCG YER ZAR ZMW ZWG";
constexpr std::string_view no_decimals = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
constexpr std::string_view three_decimals = "BHD IQD JOD KWD LYD OMR TND";
constexpr std::string_view four_decimals = "CLF UYW";

bool lists(std::string_view codes, std::string_view code) {
  for (std::size_t at = 0; at + 3 <= codes.size(); at += 4) {
    if (codes.substr(at, 3) == code) return true;
  }
  return false;
}

}  // namespace

std::optional<Currency> currency_in_force(std::string_view code) {
  if (code.size() != 3) return std::nullopt;
  const Currency currency{{code[0], code[1], code[2]}};
  if (exponent(currency) < 0) return std::nullopt;
  return currency;
}

int exponent(Currency currency) {
  if (lists(two_decimals, currency.view())) return 2;
  if (lists(no_decimals, currency.view())) return 0;
  if (lists(three_decimals, currency.view())) return 3;
  if (lists(four_decimals, currency.view())) return 4;
  return -1;
}

}  // namespace mayfly::events
