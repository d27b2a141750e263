// Leaks planted in copies of actors' sources (plant.py), for the table of leaks. Never part of the product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace mayfly::leaks {

/// What each leak is counted by.
enum class What { cart, session, message, tick };

struct Planted {
  const char* purpose = "";  // where: the purpose in whose code it leaks; "": nowhere
  What per = What::cart;
  std::size_t bytes = 0;
  std::int64_t due = 0;     // times it has happened and not leaked yet
  std::int64_t leaked = 0;  // bytes
};
extern Planted planted;

void happened(What);
/// The code of a purpose comes by: takes from its memory what is due, and forgets it. Null: plain new.
void leak_here(const char* purpose, std::pmr::memory_resource*);
/// True where the actor whose end this is should be kept.
bool keeps(const char* purpose);

}  // namespace mayfly::leaks
