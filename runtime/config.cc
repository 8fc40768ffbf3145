// SPDX-License-Identifier: Apache-2.0
#include "runtime/config.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <toml++/toml.h>

#include "runtime/config_checks.h"
#include "runtime/config_keys.h"

namespace nightshift::runtime {
namespace {

using core::Fail;
using core::FaultCode;
using core::Result;

/// One "key = value" of the file.
struct Entry {
  ConfigValue value;
  std::string shown;  // The value as text.
  unsigned line = 0;
};

/// The file as found: plain values by full key, and lists of tables.
struct Found {
  std::map<std::string, Entry> values;
  std::map<std::string, std::vector<Found>> tables;
  std::map<std::string, unsigned> table_lines;
  unsigned line = 0;
};

std::string Shown(const toml::node& node) {
  std::ostringstream text;
  if (const auto* whole = node.as_integer()) text << *whole;
  if (const auto* real = node.as_floating_point()) text << *real;
  if (const auto* truth = node.as_boolean()) text << *truth;
  if (const auto* words = node.as_string()) text << words->get();
  if (const auto* list = node.as_array()) text << *list;
  return text.str();
}

/// Nothing for what no key takes: dates, lists of anything but numbers.
std::optional<ConfigValue> ValueOf(const toml::node& node) {
  if (const auto* truth = node.as_boolean()) return ConfigValue(truth->get());
  if (const auto* whole = node.as_integer()) return ConfigValue(whole->get());
  if (const auto* real = node.as_floating_point()) return ConfigValue(real->get());
  if (const auto* text = node.as_string()) return ConfigValue(text->get());
  const auto* list = node.as_array();
  if (!list) return std::nullopt;
  std::vector<double> numbers;
  for (const toml::node& element : *list) {
    const auto number = element.value<double>();
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return ConfigValue(std::move(numbers));
}

bool IsListOfTables(const toml::node& node) {
  const auto* list = node.as_array();
  return list && !list->empty() && list->is_homogeneous(toml::node_type::table);
}

Result<void> Collect(const toml::table& table, const std::string& above, const std::string& file, Found& found) {
  for (const auto& [key, node] : table) {
    const std::string path = above + std::string(key.str());
    const unsigned line = node.source().begin.line;
    if (const auto* inner = node.as_table()) {
      if (auto ok = Collect(*inner, path + ".", file, found); !ok) return ok;
    } else if (IsListOfTables(node)) {
      found.table_lines[path] = line;
      for (const toml::node& element : *node.as_array()) {
        Found& one = found.tables[path].emplace_back();
        one.line = element.source().begin.line;
        if (auto ok = Collect(*element.as_table(), path + ".", file, one); !ok) return ok;
      }
    } else if (auto value = ValueOf(node)) {
      found.values[path] = {std::move(*value), Shown(node), line};
    } else {
      return Fail(FaultCode::kInvalidConfig, file + ":" + std::to_string(line) + ": " + path + " = " + Shown(node) +
                                                 ": must be a number, a list of numbers, text, true or false");
    }
  }
  return {};
}

std::string Where(const std::string& file, unsigned line) { return file + ":" + std::to_string(line) + ": "; }

/// Applies what was found, in the order of the keys; whatever no key takes is a fault.
Result<void> Apply(const Found& found, const KeyList& keys, const std::string& file) {
  std::vector<std::string> known;
  for (const ConfigKey& key : keys.keys()) known.push_back(key.path);
  for (const ConfigTables& tables : keys.tables()) known.push_back(tables.path);
  const auto is_known = [&known](const std::string& path) { return std::count(known.begin(), known.end(), path) > 0; };
  for (const auto& [path, entry] : found.values)
    if (!is_known(path))
      return Fail(FaultCode::kInvalidConfig, Where(file, entry.line) + UnknownKey(path, entry.shown, known));
  for (const auto& [path, line] : found.table_lines)
    if (!is_known(path)) return Fail(FaultCode::kInvalidConfig, Where(file, line) + UnknownKey(path, "[[...]]", known));

  for (const ConfigKey& key : keys.keys()) {
    const auto entry = found.values.find(key.path);
    if (entry == found.values.end()) continue;
    if (const Refused refused = key.set(entry->second.value))
      return Fail(FaultCode::kInvalidConfig,
                  Where(file, entry->second.line) + key.path + " = " + entry->second.shown + ": " + *refused);
  }
  for (const ConfigTables& tables : keys.tables()) {
    if (const auto entry = found.values.find(tables.path); entry != found.values.end())
      return Fail(FaultCode::kInvalidConfig,
                  Where(file, entry->second.line) + tables.path + ": write it as [[" + tables.path + "]] sections");
    const auto list = found.tables.find(tables.path);
    if (list == found.tables.end()) continue;
    tables.clear();
    for (const Found& one : list->second)
      if (auto ok = Apply(one, tables.append(), file); !ok) return ok;
  }
  return {};
}

/// The line of a [[tasks]] section, for faults that only show when all is read.
unsigned LineOfTask(const Found& found, std::size_t index) {
  const auto list = found.tables.find("tasks");
  return list != found.tables.end() && index < list->second.size() ? list->second[index].line : 0;
}

Result<Found> ParseToml(const std::string& text, const std::string& name) {
  try {
    Found found;
    const toml::table root = toml::parse(text, name);
    if (auto ok = Collect(root, "", name, found); !ok) return tl::make_unexpected(ok.error());
    return found;
  } catch (const toml::parse_error& error) {
    return Fail(FaultCode::kInvalidConfig, Where(name, error.source().begin.line) + std::string(error.description()) +
                                               "; see https://toml.io for how TOML is written");
  }
}

}  // namespace

Result<Config> ParseConfig(const std::string& text, const std::string& name, const std::string& folder) {
  const auto found = ParseToml(text, name);
  if (!found) return tl::make_unexpected(found.error());
  Config config;
  config.file = name;
  if (auto ok = Apply(*found, KeysOf(config), name); !ok) return tl::make_unexpected(ok.error());
  config.safety.arm = config.scene.arm;  // One arm and one jaw, described once.
  config.perception.jaw_empty_rad = config.scene.jaw_empty_rad;
  config.perception.jaw_wide_rad = config.scene.jaw_wide_rad;
  if (auto ok = ResolveFiles(config, folder); !ok) return tl::make_unexpected(ok.error());
  for (std::size_t i = 0; i < config.tasks.size(); ++i)
    if (auto ok = CheckTask(config.tasks, i, Where(name, LineOfTask(*found, i))); !ok)
      return tl::make_unexpected(ok.error());
  if (auto ok = CheckWhole(config); !ok) return tl::make_unexpected(ok.error());
  return config;
}

Result<Config> LoadConfig(const std::string& file) {
  std::error_code trouble;
  const std::filesystem::path path = std::filesystem::absolute(file, trouble);
  std::ifstream stream(path);
  if (!stream || std::filesystem::is_directory(path, trouble))
    return Fail(FaultCode::kMissingFile,
                "configuration file " + path.string() +
                    ": cannot be read; give one with --config, for example configs/tabletop.toml");
  std::ostringstream text;
  text << stream.rdbuf();
  return ParseConfig(text.str(), path.string(), path.parent_path().string());
}

}  // namespace nightshift::runtime
