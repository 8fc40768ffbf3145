// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/time.h"
#include "core/vector.h"
#include "learner/offline_config.h"

namespace nightshift::runtime {

struct Config;

/// A value as it stands in the file.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;

/// Both ends are allowed. NaN is in no range.
struct Range {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
};

/// What a key's setter has to say: nothing when it took the value, otherwise what would have been allowed.
using Refused = std::optional<std::string>;

/// One key of the file: its full name and how it is stored.
struct ConfigKey {
  std::string path;  // "learner.agent.width"; of a table in a list: "tasks.name".
  std::function<Refused(const ConfigValue&)> set;
};

/// A list of tables, such as [[tasks]]: `append` makes a new element and says which keys it takes.
class KeyList;
struct ConfigTables {
  std::string path;
  std::function<void()> clear;
  std::function<KeyList()> append;
};

/// The keys of a file, each bound to where its value goes. One key is one line:
///   keys.Number("update_ratio", c.update_ratio, {0.1, 64});
class KeyList {
 public:
  explicit KeyList(std::string section = "") : section_(std::move(section)) {}

  /// The keys added from here on stand in this section.
  KeyList& In(std::string section);

  void Number(const std::string& name, double& into, Range range);
  void Number(const std::string& name, float& into, Range range);
  void Number(const std::string& name, int& into, Range range);
  void Number(const std::string& name, std::uint64_t& into, Range range);
  void Time(const std::string& name, core::Duration& into, Range range_s);  // Name ends in _s; the value is in seconds.
  void Truth(const std::string& name, bool& into);
  void Text(const std::string& name, std::string& into);
  void Point(const std::string& name, core::Vec3& into, Range range);          // Three numbers.
  void Numbers(const std::string& name, std::span<double> into, Range range);  // As many as there are places.

  template <typename Enum>
  void Choice(const std::string& name, Enum& into, std::vector<std::pair<std::string, Enum>> choices);

  /// A key that is stored by a function of its own.
  void Custom(const std::string& name, std::function<Refused(const ConfigValue&)> set);

  template <typename Element>
  void Tables(const std::string& name, std::vector<Element>& into, void (*keys_of)(Element&, KeyList&));

  const std::vector<ConfigKey>& keys() const { return keys_; }
  const std::vector<ConfigTables>& tables() const { return tables_; }

 private:
  std::string PathOf(const std::string& name) const { return section_.empty() ? name : section_ + "." + name; }

  std::string section_;
  std::vector<ConfigKey> keys_;
  std::vector<ConfigTables> tables_;
};

/// Every key that a configuration file may hold. The order is the order of application: a named preset stands before
/// the keys that change it.
KeyList KeysOf(Config& config);

/// Of them, those of what is learned before practice (runtime/learner_keys.cc).
void OfflineKeys(learner::OfflineConfig& config, KeyList& keys);

template <typename Enum>
void KeyList::Choice(const std::string& name, Enum& into, std::vector<std::pair<std::string, Enum>> choices) {
  Custom(name, [&into, choices = std::move(choices)](const ConfigValue& value) -> Refused {
    std::string known;
    for (const auto& [word, meaning] : choices) {
      if (const auto* said = std::get_if<std::string>(&value); said && *said == word) {
        into = meaning;
        return std::nullopt;
      }
      known += (known.empty() ? "\"" : ", \"") + word + "\"";
    }
    return "must be one of " + known;
  });
}

template <typename Element>
void KeyList::Tables(const std::string& name, std::vector<Element>& into, void (*keys_of)(Element&, KeyList&)) {
  const std::string path = PathOf(name);
  tables_.push_back({path, [&into] { into.clear(); },
                     [&into, path, keys_of] {
                       KeyList keys(path);
                       keys_of(into.emplace_back(), keys);
                       return keys;
                     }});
}

}  // namespace nightshift::runtime
