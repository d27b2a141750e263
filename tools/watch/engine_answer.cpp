#include "tools/watch/engine_answer.h"

#include "adapters/http/http_client.h"
#include "adapters/http/http_names.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace mayfly::tools {

namespace {

constexpr std::size_t shown_answer_bytes = 200;  // of a refusal's words

/// What was answered instead: its status and first line.
std::string refused(const adapters::HttpGot& got) {
  const auto line = std::string_view(got.body).substr(0, std::min(got.body.find('\n'), shown_answer_bytes));
  return "status " + std::to_string(got.status) + ": " + printable(line) + ".";
}

}  // namespace

std::string count_text(const nlohmann::json& of, const char* member) {
  return grouped(of.at(member).get<std::int64_t>());
}

int show_answer(const std::string& address, const std::string& path, const char* member, bool as_json,
                void (*show)(const nlohmann::json&)) {
  if (!adapters::http_place(address)) {
    complain("%s\n", adapters::not_http_place(address).c_str());
    return exit_usage;
  }
  const auto got = adapters::http_get(address, path);
  if (!got.wrong.empty() || got.status != 200) {
    const auto why = got.wrong.empty() ? refused(got) : got.wrong;
    complain("%s Is an engine running there? `mayfly serve` says its address when it begins.\n", why.c_str());
    return exit_failed;
  }
  const auto answer = nlohmann::json::parse(got.body, nullptr, false);
  if (!answer.is_object() || !answer.contains(member)) {
    complain("what answers at http://%s%s is no Mayfly.\n", address.c_str(), path.c_str());
    return exit_failed;
  }
  if (as_json) {
    print_json(got.body);
  } else {
    show(answer);
  }
  return exit_ok;
}

}  // namespace mayfly::tools
