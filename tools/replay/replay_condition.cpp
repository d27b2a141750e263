#include "tools/replay/replay_condition.h"

#include "tools/console/nearest.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <vector>

namespace mayfly::tools {

struct Condition::Node {
  enum class Kind { either, both, opposite, compare, given } kind = Kind::given;
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
  std::string path;
  std::string op;
  OrderedJson value;
};

namespace {

using Node = Condition::Node;
using NodePtr = std::unique_ptr<Node>;

constexpr int deepest = 64;  // parentheses within each other

constexpr std::string_view decided_members[] = {"command", "event", "code", "dead_letter"};

/// What state_json gives, and what is beside it; * stands for any one name.
constexpr std::string_view known_members[] = {
    "cart",
    "phase",
    "currency",
    "total_minor",
    "customer_id",
    "created",
    "created_at",
    "sequence",
    "expires_after_s",
    "reservations",
    "sessions",
    "remembered_commands",
    "merge.into",
    "merge.offset",
    "provider",
    "token",
    "lines.*.sku",
    "lines.*.quantity",
    "lines.*.unit_price_minor",
    "lines.*.name",
    "lines.*.line_id",
    "lines.*.per_quantity",
    "lines.*.attributes.*",
    "adjustments",
    "wait.kind",
    "wait.length_ms",
    "wait.due",
    "session.number",
    "session.state",
    "session.provider",
    "session.amount_minor",
    "session.authorized_minor",
    "session.captured_minor",
    "session.refunded_minor",
    "session.refund_asked_minor",
    "session.opened",
    "session.order_placed",
    "session.in_doubt",
    "session.status_tries",
    "session.capture_failures",
    "session.reference",
    "session.capture",
    "session.capture_within_s",
    "session.settles_within_s",
    "session.extra_up_to_minor",
    "session.order_pending",
    "session.captures_asked",
    "session.capture_total_minor",
    "session.final_asked",
    "session.until",
    "session.action_url",
    "session.why",
    "failures",
    "quarantined_by",
    "command",
    "event",
    "code",
    "dead_letter",
    "partition.open_carts",
    "partition.open_sessions",
};

/// The first name of a path, which is taken off.
std::string_view take_name(std::string_view& path) {
  const auto dot = std::min(path.find('.'), path.size());
  const auto name = path.substr(0, dot);
  path.remove_prefix(std::min(dot + 1, path.size()));
  return name;
}

/// Is the path that member, or what it is a part of?
bool leads_to(std::string_view path, std::string_view member) {
  while (!path.empty()) {
    if (member.empty()) return false;
    const auto known = take_name(member);
    if (take_name(path) != known && known != "*") return false;
  }
  return true;
}

struct Word {
  std::string text;
  bool quoted = false;
};

std::vector<Word> words_of(const std::string& text, std::string& wrong) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
    } else if (c == '"') {
      const auto end = text.find('"', at + 1);
      if (end == std::string::npos) {
        wrong = "a text in \" has no end";
        return {};
      }
      words.push_back({text.substr(at + 1, end - at - 1), true});
      at = end + 1;
    } else if (c == '(' || c == ')') {
      words.push_back({std::string(1, c)});
      ++at;
    } else {
      static constexpr std::string_view operators = "=!<>";
      const bool op = operators.find(c) != std::string_view::npos;
      std::string word;
      for (; at < text.size(); ++at) {
        const bool ends = std::isspace(static_cast<unsigned char>(text[at])) != 0 || text[at] == '(' ||
                          text[at] == ')' || text[at] == '"' ||
                          (operators.find(text[at]) != std::string_view::npos) != op;
        if (ends) break;
        word += text[at];
      }
      words.push_back({std::move(word)});
    }
  }
  return words;
}

class Parser {
 public:
  Parser(std::vector<Word> words, std::string& wrong) : words_(std::move(words)), wrong_(wrong) {}

  NodePtr whole() {
    auto node = either(0);
    if (wrong_.empty() && at_ < words_.size()) wrong_ = "'" + words_[at_].text + "' is not expected there";
    return wrong_.empty() ? std::move(node) : nullptr;
  }

 private:
  NodePtr either(int depth) {
    return joined("or", Node::Kind::either,
                  [&] { return joined("and", Node::Kind::both, [&] { return single(depth); }); });
  }

  template <class Next>
  NodePtr joined(const char* word, Node::Kind kind, Next next) {
    auto node = next();
    while (wrong_.empty() && is(word)) {
      ++at_;
      auto more = std::make_unique<Node>();
      more->kind = kind;
      more->left = std::move(node);
      more->right = next();
      node = std::move(more);
    }
    return node;
  }

  NodePtr single(int depth) {
    auto node = std::make_unique<Node>();
    if (depth > deepest) return fail("too many parentheses");
    if (is("not")) {
      ++at_;
      node->kind = Node::Kind::opposite;
      node->left = single(depth + 1);
      return node;
    }
    if (is("(")) {
      ++at_;
      node = either(depth + 1);
      if (!wrong_.empty()) return nullptr;
      if (!is(")")) return fail("a ')' is missing");
      ++at_;
      return node;
    }
    if (at_ == words_.size() || is(")")) return fail("a member's name is missing");
    node->path = words_[at_++].text;
    if (!is_known_member(node->path)) return unknown(node->path);
    static constexpr std::string_view operators[] = {"==", "!=", "<", "<=", ">", ">="};
    if (at_ == words_.size() ||
        std::none_of(std::begin(operators), std::end(operators), [&](auto op) { return is(op); }))
      return node;
    node->kind = Node::Kind::compare;
    node->op = words_[at_++].text;
    if (at_ == words_.size()) return fail("a value is missing");
    const auto& word = words_[at_++];
    auto value = OrderedJson::parse(word.text, nullptr, false);
    node->value = word.quoted || value.is_discarded() || value.is_structured() ? OrderedJson(word.text) : value;
    return node;
  }

  [[nodiscard]] bool is(std::string_view word) const {
    return at_ < words_.size() && !words_[at_].quoted && words_[at_].text == word;
  }
  NodePtr unknown(const std::string& path) {
    if (!wrong_.empty()) return nullptr;
    wrong_ = "there is no member '" + path + "'";
    const auto meant = nearest({std::begin(known_members), std::end(known_members)}, path);
    if (!meant.empty()) wrong_.append("; did you mean ").append(meant).append("?");
    wrong_ += " There are: ";
    for (const auto member : known_members) wrong_.append(member == known_members[0] ? "" : ", ").append(member);
    return nullptr;
  }
  NodePtr fail(const char* why) {
    if (wrong_.empty()) wrong_ = why;
    return nullptr;
  }

  std::vector<Word> words_;
  std::string& wrong_;
  std::size_t at_ = 0;
};

/// The member of a path; a line by its sku.
const OrderedJson* member(const OrderedJson& json, std::string_view path) {
  const auto* at = &json;
  while (!path.empty()) {
    const auto name = take_name(path);
    const OrderedJson* next = nullptr;
    if (at->is_object()) {
      const auto found = at->find(std::string(name));
      if (found != at->end()) next = &*found;
    } else if (at->is_array()) {
      for (const auto& element : *at) {
        if (element.is_object() && element.value("sku", "") == name) next = &element;
      }
    }
    if (next == nullptr) return nullptr;
    at = next;
  }
  return at;
}

bool compare(const OrderedJson& one, const std::string& op, const OrderedJson& value) {
  if (one.is_array() && !value.is_number())
    return std::any_of(one.begin(), one.end(), [&](const OrderedJson& e) { return compare(e, op, value); });
  const auto left = one.is_array() ? OrderedJson(one.size()) : one;  // with a number: how many
  if (left.is_number() != value.is_number() || left.is_string() != value.is_string()) return op == "!=";
  if (op == "==") return left == value;
  if (op == "!=") return left != value;
  if (op == "<") return left < value;
  if (op == "<=") return left <= value;
  return op == ">" ? left > value : left >= value;
}

bool is_given(const OrderedJson* json) {
  if (json == nullptr || json->is_null()) return false;
  if (json->is_boolean()) return json->get<bool>();
  return !json->is_structured() || !json->empty();
}

bool true_of(const Node& node, const OrderedJson& json) {
  switch (node.kind) {
    case Node::Kind::either: return true_of(*node.left, json) || true_of(*node.right, json);
    case Node::Kind::both: return true_of(*node.left, json) && true_of(*node.right, json);
    case Node::Kind::opposite: return !true_of(*node.left, json);
    case Node::Kind::given: return is_given(member(json, node.path));
    case Node::Kind::compare: {
      const auto* found = member(json, node.path);
      return found == nullptr ? node.op == "!=" : compare(*found, node.op, node.value);
    }
  }
  return false;
}

bool names_decisions(const Node& node) {
  const auto of = [](const NodePtr& one) { return one && names_decisions(*one); };
  return of(node.left) || of(node.right) || std::ranges::find(decided_members, node.path) != std::end(decided_members);
}

}  // namespace

bool is_known_member(std::string_view path) {
  return !path.empty() && std::ranges::any_of(known_members, [&](auto member) { return leads_to(path, member); });
}

Condition::Condition(const std::string& text, std::string& wrong) {
  auto words = words_of(text, wrong);
  if (wrong.empty()) root_ = Parser(std::move(words), wrong).whole();
}

Condition::~Condition() = default;

bool Condition::is_of_decisions() const { return root_ && names_decisions(*root_); }

bool Condition::holds(const OrderedJson& json) const { return root_ && true_of(*root_, json); }

}  // namespace mayfly::tools
