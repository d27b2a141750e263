#include "actors/memory/arena.h"

#include <memory>
#include <new>

namespace mayfly::actors {

Arena::Page* Arena::take(std::size_t bytes) {
  auto* page = new (upstream_->allocate(bytes)) Page{nullptr, bytes};
  bytes_ += static_cast<std::int64_t>(bytes);
  return page;
}

/// `from` and all behind it.
void Arena::give_back(Page*& from) {
  while (from != nullptr) {
    auto* page = from;
    from = page->next;
    bytes_ -= static_cast<std::int64_t>(page->bytes);
    upstream_->deallocate(page, page->bytes);
  }
}

void* Arena::do_allocate(std::size_t bytes, std::size_t alignment) {
  constexpr std::size_t most_in_a_page = page_bytes / 4;  // so that little of one stays empty
  if (bytes + alignment > most_in_a_page) {
    auto* page = take(sizeof(Page) + alignment + bytes);
    page->next = large_;
    large_ = page;
    large_bytes_ += page->bytes;
    void* at = page + 1;
    std::size_t room = alignment + bytes;
    return std::align(alignment, bytes, at, room);
  }
  auto* at = std::align(alignment, bytes, free_, free_bytes_);
  if (at == nullptr) {
    auto*& next = current_ == nullptr ? pages_ : current_->next;
    if (next == nullptr) next = take(page_bytes);
    current_ = next;
    ++used_;
    free_ = current_ + 1;
    free_bytes_ = page_bytes - sizeof(Page);
    at = std::align(alignment, bytes, free_, free_bytes_);
  }
  free_ = static_cast<std::byte*>(at) + bytes;
  free_bytes_ -= bytes;
  return at;
}

void Arena::release() {
  give_back(large_);
  auto** last = &pages_;
  for (auto keep = recent_.note(used_); keep > 0 && *last != nullptr; --keep) last = &(*last)->next;
  give_back(*last);
  current_ = nullptr;
  free_ = nullptr;
  free_bytes_ = 0;
  used_ = large_bytes_ = 0;
}

void Arena::give_back() {
  release();
  give_back(pages_);
}

}  // namespace mayfly::actors
