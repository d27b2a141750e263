#include "actors/memory/actor_memory.h"

#include "actors/memory/size_class.h"

#include <cstddef>
#include <memory>
#include <memory_resource>

namespace mayfly::actors {

OverBudget::OverBudget(Purpose purpose, std::int64_t wanted_bytes, std::int64_t budget_bytes)
    : std::runtime_error("over budget: " + std::string(name(purpose)) + " would take " + std::to_string(wanted_bytes) +
                         " bytes of this " + std::string(name(kind_of(purpose))) + ", it may have " +
                         std::to_string(budget_bytes)) {}

namespace {

/// Allocators have a quicker way for what is aligned as everything is.
bool is_ordinary(std::size_t alignment) { return alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__; }

void* take(std::size_t bytes, std::size_t alignment) {
  if (is_ordinary(alignment)) return std::allocator<std::byte>().allocate(bytes);
  return std::pmr::get_default_resource()->allocate(bytes, alignment);
}

void give_back(void* memory, std::size_t bytes, std::size_t alignment) {
  if (is_ordinary(alignment)) return std::allocator<std::byte>().deallocate(static_cast<std::byte*>(memory), bytes);
  std::pmr::get_default_resource()->deallocate(memory, bytes, alignment);
}

}  // namespace

void* PurposeMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  const auto size = static_cast<std::int64_t>(bytes);
  if (budget_.bytes + size > budget_.most_bytes) throw OverBudget(purpose_, budget_.bytes + size, budget_.most_bytes);
  void* memory = take(bytes, alignment);
  budget_.bytes += size;
  bytes_ += size;
  rounding_to_post_ += size_class(size) - size;
  ++blocks_;
  return memory;
}

void PurposeMemory::do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) {
  give_back(memory, bytes, alignment);
  const auto size = static_cast<std::int64_t>(bytes);
  budget_.bytes -= size;
  bytes_ -= size;
  rounding_to_post_ -= size_class(size) - size;
  --blocks_;
}

bool PurposeMemory::post(Ledger& ledger, std::int64_t held) {
  const Amounts change{
      bytes_ - posted_bytes_, blocks_ - posted_blocks_, held - posted_held_, 0, 0, rounding_to_post_, 0};
  const bool same = change.taken_bytes == 0 && change.taken_blocks == 0 && change.held_bytes == 0;
  if (same && change.rounding_bytes == 0) return false;
  ledger.post(purpose_, change);
  posted_bytes_ = bytes_;
  posted_blocks_ = blocks_;
  posted_held_ = held;
  rounding_to_post_ = 0;
  return change.taken_bytes != change.held_bytes && bytes_ != held;
}

void PurposeMemory::post_end(Ledger& ledger) {
  post(ledger, 0);
  if (blocks_ != 0) ledger.post(purpose_, {0, 0, 0, bytes_, blocks_, 0, 0});
}

}  // namespace mayfly::actors
