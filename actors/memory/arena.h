// The memory of one batch: given out piece by piece, taken back all at once. Its pages serve later batches.
#pragma once

#include "actors/memory/recent_use.h"

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace mayfly::actors {

/// One thread at a time.
class Arena final : public std::pmr::memory_resource {
 public:
  static constexpr std::size_t page_bytes = 64 * 1024;

  /// `upstream` outlives it.
  explicit Arena(std::pmr::memory_resource* upstream) : upstream_(upstream) {}
  ~Arena() override { give_back(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// The same as allocate(count, 1): what texts are asked for often.
  [[nodiscard]] char* allocate_text(std::size_t count) {
    if (count > free_bytes_) return static_cast<char*>(allocate(count, 1));
    auto* at = static_cast<char*>(free_);
    free_ = at + count;
    free_bytes_ -= count;
    return at;
  }
  /// Takes back all that it gave out; keeps pages for as much as recent batches used.
  void release();
  /// Takes back all that it gave out, and gives all its pages back.
  void give_back();
  /// Taken from upstream, given out or not.
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  /// Of that what holds something now, in whole pages.
  [[nodiscard]] std::size_t used_bytes() const { return used_ * page_bytes + large_bytes_; }

 private:
  struct Page {
    Page* next = nullptr;
    std::size_t bytes = 0;  // itself included
  };
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
  Page* take(std::size_t bytes);
  void give_back(Page*& from);

  std::pmr::memory_resource* upstream_;
  std::int64_t bytes_ = 0;
  Page* pages_ = nullptr;    // all of page_bytes
  Page* current_ = nullptr;  // of those; the ones after it are not in use
  Page* large_ = nullptr;    // each for one allocation
  void* free_ = nullptr;     // in the current one
  std::size_t free_bytes_ = 0;
  std::size_t used_ = 0;  // pages
  std::size_t large_bytes_ = 0;
  RecentUse recent_;
};

}  // namespace mayfly::actors
