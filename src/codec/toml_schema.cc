// Checks a configuration file against a schema: the schema's paths become a tree, which is walked
// along with the file.

#include <algorithm>
#include <map>
#include <memory>

#include "codec/toml_impl.h"

namespace fh::codec::toml {
namespace {

// One place in the schema. An inner place has children and no type of its own; in a file it must be
// a table, or an array of tables if it has `element`.
struct Place {
  std::optional<Type> type;
  std::map<std::string_view, std::unique_ptr<Place>> children;
  std::unique_ptr<Place> any_name;
  std::unique_ptr<Place> element;
};

constexpr std::string_view kElement = "[]";

Place& child_of(Place& place, std::string_view segment) {
  std::unique_ptr<Place>& child = segment == "*" ? place.any_name : place.children[segment];
  if (!child) child = std::make_unique<Place>();
  return *child;
}

std::unique_ptr<Place> tree_of(std::span<const Key> schema) {
  auto root = std::make_unique<Place>();
  for (const Key& key : schema) {
    Place* place = root.get();
    std::string_view rest = key.path;
    while (!rest.empty()) {
      const std::size_t dot = rest.find('.');
      std::string_view segment = rest.substr(0, dot);
      rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
      const bool each = segment.ends_with(kElement);
      if (each) segment.remove_suffix(kElement.size());
      place = &child_of(*place, segment);
      if (each) {
        if (!place->element) place->element = std::make_unique<Place>();
        place = place->element.get();
      }
    }
    place->type = key.type;
  }
  return root;
}

std::string_view expected_text(Type type) {
  switch (type) {
    case Type::Bool: return "true or false";
    case Type::Int: return "an integer";
    case Type::Double: return "a number";
    case Type::String: return "a string";
    case Type::Strings: return "an array of strings";
    case Type::Array: return "an array";
    case Type::Table: return "a table";
    case Type::Date: return "a date";
    case Type::Any: break;
  }
  return "a value";
}

std::string_view found_text(Type type) {
  switch (type) {
    case Type::Bool: return "a boolean";
    case Type::Double: return "a fractional number";
    default: return expected_text(type);
  }
}

bool fits(const Value& value, Type type) {
  switch (type) {
    case Type::Any: return true;
    case Type::Double: return value.as_double().has_value();
    case Type::Strings: return value.as_strings().has_value();
    default: return value.type() == type;
  }
}

class Checker {
 public:
  Checker(const Place& root, std::span<const Key> schema) : root_(root), schema_(schema) {}

  std::vector<base::Error> run(const Value& root) {
    table(root, root_);
    return std::move(problems_);
  }

 private:
  void value(const Value& value, const Place& place) {
    if (place.element) {
      array(value, *place.element);
    } else if (place.children.empty() && !place.any_name) {
      if (place.type && !fits(value, *place.type)) wrong_type(value, *place.type);
    } else if (!value.is_table()) {
      wrong_type(value, Type::Table);
    } else {
      table(value, place);
    }
  }

  void array(const Value& array, const Place& element) {
    if (!array.is_array()) {
      problems_.push_back(
          array.error("must be an array of tables, not " + std::string(found_text(array.type()))));
      return;
    }
    for (const Value& item : array.elements()) value(item, element);
  }

  void table(const Value& table, const Place& place) {
    for (const auto& [key, member] : table.members()) {
      if (const auto known = place.children.find(key); known != place.children.end()) {
        value(member, *known->second);
      } else if (place.any_name) {
        value(member, *place.any_name);
      } else if (!place.type) {
        // A place with a type of its own, Table, takes any key beside those that are described.
        unknown(key, member, place);
      }
    }
  }

  void wrong_type(const Value& value, Type type) {
    if (type == Type::Strings && value.is_array()) {
      problems_.push_back(value.error("must hold strings only"));
      return;
    }
    std::string what = "must be ";
    what.append(expected_text(type)).append(", not ").append(found_text(value.type()));
    problems_.push_back(value.error(what));
  }

  void unknown(std::string_view key, const Value& member, const Place& place) {
    std::vector<std::string_view> known;
    for (const auto& [name, child] : place.children) known.push_back(name);
    base::Error error;
    error.code = base::Code::InvalidArgument;
    error.field = member.path();
    error.reason = "unknown_key";
    error.message = "unknown key `" + error.field + "` in line " + std::to_string(member.line());
    if (const std::string_view near = nearest(key, known); !near.empty()) {
      error.message.append("; did you mean `").append(near).append("`?");
    } else if (const std::string_view elsewhere = known_elsewhere(key); !elsewhere.empty()) {
      error.message.append("; did you mean `").append(elsewhere).append("`?");
    } else {
      error.hint = "known here:";
      for (const std::string_view name : known) error.hint.append(" ").append(name);
    }
    problems_.push_back(std::move(error));
  }

  // A key that stands in the wrong table: the path in the schema that ends in it.
  std::string_view known_elsewhere(std::string_view key) const {
    for (const Key& known : schema_) {
      const std::size_t dot = known.path.rfind('.');
      const std::string_view last =
          dot == std::string_view::npos ? known.path : known.path.substr(dot + 1);
      if (last == key) return known.path;
    }
    return {};
  }

  const Place& root_;
  std::span<const Key> schema_;
  std::vector<base::Error> problems_;
};

// Optimal string alignment distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr std::size_t kWordMax = 64;  // keeps the work small; no key of ours is longer
  if (word.size() > kWordMax) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits < best_distance) {
      best = candidate;
      best_distance = edits;
    }
  }
  return best;
}

std::vector<base::Error> File::problems(std::span<const Key> schema) const {
  if (!impl_) return {};
  const std::unique_ptr<Place> tree = tree_of(schema);
  return Checker(*tree, schema).run(root());
}

base::Status File::check(std::span<const Key> schema) const {
  std::vector<base::Error> all = problems(schema);
  if (all.empty()) return {};
  return std::unexpected(std::move(all.front()));
}

}  // namespace fh::codec::toml
