// Online Retail's CSV as a shop that sends commands (docs/feed.md): lines of an invoice, its checkout, and what
// inventory and the payment provider answer. Reads line by line; keeps one invoice at a time.
#pragma once

#include "tools/records/command_writer.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// Splits CSV (RFC 4180) that comes in pieces; calls back for each record. Quoted fields may hold line ends.
class CsvReader {
 public:
  using Fields = std::vector<std::string>;
  explicit CsvReader(std::function<void(std::int64_t line, const Fields&)> record) : record_(std::move(record)) {}
  void read(std::string_view piece);
  void end();

 private:
  void field_done();
  void record_done();
  std::function<void(std::int64_t, const Fields&)> record_;
  Fields fields_;
  std::string field_;
  std::int64_t line_ = 1;
  std::int64_t begun_at_line_ = 1;
  enum class At { field_begin, plain, quoted, quote_in_quoted } at_ = At::field_begin;
};

/// Calls `piece` with the content of a file, unpacked if its name ends in .zst. Returns what went wrong, or nothing.
[[nodiscard]] std::string read_file(const std::string& file, const std::function<bool(std::string_view)>& piece);

/// "2.55" -> 255, rounded half away from zero; nothing if it is no decimal number or does not fit.
[[nodiscard]] std::optional<std::int64_t> pence(std::string_view decimal);

/// Turns the CSV's records into commands.
class RetailShop {
 public:
  /// `most_invoices`: what comes after them is left alone; 0: all.
  explicit RetailShop(std::function<void(OutgoingCommand)> send, std::int64_t most_invoices = 0)
      : send_(std::move(send)), most_invoices_(most_invoices) {}
  /// A record of the file, its header too. Returns what is wrong with it, or nothing.
  std::string row(const CsvReader::Fields&);
  /// After the last one.
  void end();
  /// The header was there, with all columns that are needed.
  [[nodiscard]] bool has_columns() const { return has_columns_; }
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] std::int64_t invoices() const { return runs_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }

 private:
  struct BookLine {
    std::int64_t quantity = 0;
    std::int64_t price = 0;
  };
  void begin_invoice(const std::string& number, std::string_view customer);
  void end_invoice();
  void send(std::string_view type, std::string data);
  /// One article at another price than its first accepted row is a line of its own: "85123A@255". Empty: the first.
  [[nodiscard]] std::string line_id_of(const std::string& sku, std::int64_t price) const;
  void book(const std::string& line, std::int64_t quantity, std::int64_t price);

  std::function<void(OutgoingCommand)> send_;
  std::int64_t most_invoices_;
  bool full_ = false;
  bool has_columns_ = false;
  std::map<std::string, std::size_t> columns_;
  std::string invoice_;
  std::map<std::string, BookLine> book_;  // the shop's own: accepted lines, by line id or else sku
  std::int64_t sent_in_run_ = 0;
  std::int64_t runs_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace mayfly::tools
