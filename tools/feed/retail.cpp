#include "tools/feed/retail.h"

#include "events/rules/identity.h"
#include "events/rules/settings.h"
#include "events/text/number.h"
#include "events/wire/json_writer.h"

#include <zstd.h>

#include <array>
#include <cstdio>
#include <memory>

namespace mayfly::tools {

using events::JsonObject;

// --- CSV -----------------------------------------------------------------------------------------------------------

void CsvReader::read(std::string_view piece) {
  for (const char c : piece) {
    if (c == '\n') ++line_;
    switch (at_) {
      case At::quoted:
        if (c == '"')
          at_ = At::quote_in_quoted;
        else
          field_ += c;
        continue;
      case At::quote_in_quoted:
        if (c == '"') {
          field_ += '"';
          at_ = At::quoted;
          continue;
        }
        at_ = At::plain;
        break;
      case At::field_begin:
        if (c == '"') {
          at_ = At::quoted;
          continue;
        }
        at_ = At::plain;
        break;
      case At::plain: break;
    }
    if (c == ',') {
      field_done();
    } else if (c == '\n') {
      field_done();
      record_done();
    } else if (c != '\r') {
      field_ += c;
    }
  }
}

void CsvReader::end() {
  if (fields_.empty() && field_.empty()) return;
  field_done();
  record_done();
}

void CsvReader::field_done() {
  fields_.push_back(std::move(field_));
  field_.clear();
  at_ = At::field_begin;
}

void CsvReader::record_done() {
  if (fields_.size() > 1 || !fields_.front().empty()) record_(begun_at_line_, fields_);
  fields_.clear();
  begun_at_line_ = line_;
}

std::string read_file(const std::string& file, const std::function<bool(std::string_view)>& piece) {
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
    void operator()(ZSTD_DStream* s) const { ZSTD_freeDStream(s); }
  };
  const std::unique_ptr<std::FILE, Close> in(std::fopen(file.c_str(), "rb"));
  if (!in) return file + ": cannot be opened.";
  std::size_t wanted = 0;  // what the decompressor waits for; 0: a frame is whole
  std::array<char, 65536> read;
  std::array<char, 131072> unpacked;
  const bool packed = file.ends_with(".zst");
  const std::unique_ptr<ZSTD_DStream, Close> stream(packed ? ZSTD_createDStream() : nullptr);
  while (const auto size = std::fread(read.data(), 1, read.size(), in.get())) {
    if (!packed) {
      if (!piece({read.data(), size})) return {};
      continue;
    }
    ZSTD_inBuffer from{read.data(), size, 0};
    while (from.pos < from.size) {
      ZSTD_outBuffer to{unpacked.data(), unpacked.size(), 0};
      const auto result = ZSTD_decompressStream(stream.get(), &to, &from);
      if (ZSTD_isError(result) != 0) return file + ": is no whole zstd file (" + ZSTD_getErrorName(result) + ").";
      if (!piece({unpacked.data(), to.pos})) return {};
      wanted = result;
    }
  }
  if (std::ferror(in.get()) != 0) return file + ": cannot be read. Give a file.";
  if (wanted != 0) return file + ": ends in the middle of its zstd frame. What came before that was read.";
  return {};
}

std::optional<std::int64_t> pence(std::string_view decimal) {
  const bool negative = decimal.starts_with('-');
  if (negative) decimal.remove_prefix(1);
  const auto point = decimal.find('.');
  const auto whole = decimal.substr(0, point);
  const auto fraction = point == std::string_view::npos ? std::string_view{} : decimal.substr(point + 1);
  if (whole.empty() || whole.size() > 15) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : whole) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  for (std::size_t i = 0; i < std::max<std::size_t>(fraction.size(), 2); ++i) {
    const char c = i < fraction.size() ? fraction[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    if (i < 2) value = value * 10 + (c - '0');
    if (i == 2 && c >= '5') ++value;
  }
  return negative ? -value : value;
}

// --- the shop ------------------------------------------------------------------------------------------------------

namespace {

constexpr std::string_view needed_columns[] = {"InvoiceNo", "StockCode", "Description",
                                               "Quantity",  "UnitPrice", "CustomerID"};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

template <class F>
std::string object(F members) {
  std::string data;
  JsonObject json(data);
  members(json);
  json.close();
  return data;
}

}  // namespace

std::string RetailShop::row(const CsvReader::Fields& fields) {
  if (columns_.empty()) {
    for (std::size_t i = 0; i < fields.size(); ++i) columns_[fields[i]] = i;
    for (const auto name : needed_columns) {
      if (!columns_.contains(std::string(name))) return "there is no column " + std::string(name);
    }
    has_columns_ = true;
    return {};
  }
  if (fields.size() != columns_.size()) {
    return std::to_string(fields.size()) + " fields where the header has " + std::to_string(columns_.size());
  }
  const auto& number = fields[columns_["InvoiceNo"]];
  const auto& sku = fields[columns_["StockCode"]];
  const auto quantity = events::number_in<std::int64_t>(fields[columns_["Quantity"]]);
  const auto price = pence(fields[columns_["UnitPrice"]]);
  if (!quantity) return "Quantity is no integer";
  if (!price) return "UnitPrice is no decimal number";
  if (number.empty()) return "InvoiceNo is empty";
  full_ = full_ || (number != invoice_ && most_invoices_ > 0 && runs_ == most_invoices_);
  if (full_) return {};
  ++rows_;
  if (number != invoice_) {
    end_invoice();
    begin_invoice(number, fields[columns_["CustomerID"]]);
  }
  const auto line_id = line_id_of(sku, *price);
  send("cart.add_line", object([&](JsonObject& json) {
         json.text("sku", sku);
         json.number("quantity", *quantity);
         json.number("unit_price_minor", *price);
         json.text_if("name", trimmed(fields[columns_["Description"]]));
         json.text_if("line_id", line_id);
       }));
  book(line_id.empty() ? sku : line_id, *quantity, *price);
  return {};
}

std::string RetailShop::line_id_of(const std::string& sku, std::int64_t price) const {
  const auto plain = book_.find(sku);
  if (plain == book_.end() || plain->second.price == price) return {};
  return sku + "@" + std::to_string(price);
}

void RetailShop::begin_invoice(const std::string& number, std::string_view customer) {
  invoice_ = number;
  book_.clear();
  sent_in_run_ = 0;
  ++runs_;
  if (customer.ends_with(".0")) customer.remove_suffix(2);
  send("cart.create", object([&](JsonObject& json) {
         json.text("currency", "GBP");
         json.text_if("customer_id", customer);
       }));
}

void RetailShop::book(const std::string& line, std::int64_t quantity, std::int64_t price) {
  const auto known = book_.find(line);
  const auto sum = quantity + (known == book_.end() ? 0 : known->second.quantity);
  const bool in_range = quantity >= 1 && quantity <= events::limits::quantity && sum <= events::limits::quantity;
  if (price < 0 || !in_range) return;
  if (known == book_.end() && std::ssize(book_) >= events::limits::cart_lines) return;
  book_[line] = {sum, price};
}

void RetailShop::end_invoice() {
  if (invoice_.empty()) return;
  std::int64_t total = 0;
  for (const auto& [name, line] : book_) total += line.quantity * line.price;
  send("checkout.complete", object([&](JsonObject& json) {
         json.number("expected_total_minor", total);
         JsonObject payment(json.member("payment"));
         payment.text("provider", "sim");
         payment.text("token", "tok_" + invoice_);
         payment.close();
       }));
  if (book_.empty()) {
    send("cart.cancel", R"({"reason":"empty"})");
  } else {
    const std::string cart = "retail-" + invoice_;
    send("inventory.reserved", object([&](JsonObject& json) { json.text("reservation_id", cart + "-r1"); }));
    for (const std::string_view reply : {"payment.authorized", "payment.captured"}) {
      if (total == 0) break;
      send(reply, object([&](JsonObject& json) {
             json.text("session_id", cart + "-p1");
             json.text("reference", "pi_" + invoice_);
             json.number("amount_minor", total);
             json.text("currency", "GBP");
           }));
    }
  }
  invoice_.clear();
}

void RetailShop::end() { end_invoice(); }

void RetailShop::send(std::string_view type, std::string data) {
  OutgoingCommand c;
  c.key = "retail-" + invoice_;
  c.type = type;
  c.id = c.key + "-" + std::to_string(runs_) + "-" + std::to_string(++sent_in_run_);
  c.source = "/feed/online-retail";
  c.data = std::move(data);
  send_(std::move(c));
}

}  // namespace mayfly::tools
