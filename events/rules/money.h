// Money in integer minor units (cents, pence, yen) with arithmetic that cannot overflow unseen. No floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mayfly::events {

/// An amount in minor units of a currency that the context names.
using Minor = std::int64_t;

/// No line and no total goes beyond this, either way (decisions.md 2).
inline constexpr Minor max_amount_minor = 1'000'000'000'000'000;

/// a + b, or nothing when int64 cannot hold it.
[[nodiscard]] std::optional<Minor> add(Minor a, Minor b);
/// a * b, or nothing when int64 cannot hold it.
[[nodiscard]] std::optional<Minor> multiply(Minor a, Minor b);
/// True when -max_amount_minor <= a <= max_amount_minor.
[[nodiscard]] constexpr bool within_limit(Minor a) { return a >= -max_amount_minor && a <= max_amount_minor; }

/// An ISO 4217 alphabetic code, three upper-case letters. "XXX" (no currency) where it is unknown.
struct Currency {
  char code[3] = {'X', 'X', 'X'};
  [[nodiscard]] std::string_view view() const { return {code, 3}; }
  bool operator==(const Currency&) const = default;
};

/// The currency of that code if ISO 4217 lists it as in force and gives it a number of decimals.
/// Nothing for withdrawn codes and for codes without an exponent (XXX, XAU, ...). Case matters.
[[nodiscard]] std::optional<Currency> currency_in_force(std::string_view code);
/// Decimals of a currency in force: 0, 2, 3 or 4 (ISO 4217). -1 for any other.
[[nodiscard]] int exponent(Currency currency);

}  // namespace mayfly::events
