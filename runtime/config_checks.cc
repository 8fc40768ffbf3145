// SPDX-License-Identifier: Apache-2.0
#include "runtime/config_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>

#include "core/kinematics.h"
#include "safety/admissible.h"
#include "skills/skill.h"
#include "skills/task.h"

namespace nightshift::runtime {
namespace {

using core::Fail;
using core::FaultCode;
using core::Result;

constexpr std::array<std::string_view, 18> kUnits{"s",   "ms",  "us", "ns", "min", "h",  "m", "mm", "cm",
                                                  "rad", "deg", "hz", "px", "c",   "nm", "a", "kg", "mib"};
constexpr std::size_t kNearDistanceMax = 4;  // Edits; beyond that a proposal is no help.

std::size_t Edits(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// "learner.timeout_ms_max" -> "learner.timeout_*_max": the key without its units.
std::string Stem(const std::string& path) {
  std::string stem, word;
  const auto flush = [&] {
    stem += std::find(kUnits.begin(), kUnits.end(), word) != kUnits.end() ? "*" : word;
    word.clear();
  };
  for (const char c : path) {
    if (c != '_' && c != '.') {
      word += c;
      continue;
    }
    flush();
    stem += c;
  }
  flush();
  return stem;
}

/// Also without any unit at all: "timeout" for "timeout_s".
std::string Bare(const std::string& path) {
  std::string stem = Stem(path);
  for (std::size_t at = stem.find("_*"); at != std::string::npos; at = stem.find("_*")) stem.erase(at, 2);
  return stem;
}

std::string LastWord(const std::string& path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::string UnknownKey(const std::string& path, const std::string& value, const std::vector<std::string>& known) {
  const std::string begin = path + " = " + value + ": unknown key";
  for (const std::string& key : known)
    if (Bare(key) == Bare(path)) return begin + ": wrong unit, this is given as " + key + "; convert the value";
  const auto nearer = [&path](const std::string& a, const std::string& b) { return Edits(a, path) < Edits(b, path); };
  const auto nearest = std::min_element(known.begin(), known.end(), nearer);
  if (nearest != known.end() && Edits(*nearest, path) <= kNearDistanceMax)
    return begin + "; did you mean " + *nearest + "?";
  for (const std::string& key : known)
    if (LastWord(key) == LastWord(path)) return begin + "; did you mean " + key + "?";
  return begin + "; configs/tabletop.toml shows the keys that exist" +
         (nearest != known.end() ? ", the nearest is " + *nearest : std::string());
}

Result<void> ResolveFiles(Config& config, const std::string& folder) {
  const std::filesystem::path model = std::filesystem::path(folder) / config.cell.model_file;
  std::error_code trouble;
  if (!std::filesystem::is_regular_file(model, trouble))
    return Fail(FaultCode::kMissingFile, config.file + ": cell.model_file = " + config.cell.model_file +
                                             ": there is no file " + model.lexically_normal().string() +
                                             "; paths are relative to the folder of the configuration file");
  config.cell.model_file = model.lexically_normal().string();
  // Whether it can be read shows when it is: what cannot is a person.
  if (std::string& value_file = config.safety.presence.value_file; !value_file.empty())
    value_file = (std::filesystem::path(folder) / value_file).lexically_normal().string();
  return {};
}

/// Names become names of files, of metric labels and words in tables.
Result<void> CheckName(const std::string& where, const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::size_t kLongest = 40;
  if (!name.empty() && name.size() <= kLongest && name.find_first_not_of(kAllowed) == std::string::npos) return {};
  return Fail(FaultCode::kInvalidConfig,
              where + ": a name consists of 1 to " + std::to_string(kLongest) + " small letters, digits, - and _");
}

/// "address:port" with a port that exists.
Result<void> CheckListen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);
  const bool number = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (colon != 0 && number && std::stoi(port) <= 65535) return {};
  return Fail(FaultCode::kInvalidConfig,
              "metrics.listen = \"" + listen + "\": must be an address and a port up to 65535, as 127.0.0.1:9465");
}

/// What the tracker tells apart by name and colour.
Result<void> CheckObjects(const std::vector<io::ObjectLook>& objects) {
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (auto named = CheckName("objects.name = \"" + objects[i].name + "\"", objects[i].name); !named) return named;
    for (std::size_t j = 0; j < i; ++j)
      if (objects[j].name == objects[i].name)
        return Fail(FaultCode::kInvalidConfig,
                    "objects." + objects[i].name + ": this name is taken; each object needs a name of its own");
  }
  return {};
}

/// Can the arm be at home, where each episode begins, with its hand down?
Result<void> CheckHome(const Config& config) {
  const core::Vec3 home = config.scene.home_m, low = config.safety.workspace_m_min,
                   high = config.safety.workspace_m_max;
  const auto refused = [&](const std::string& why) {
    return Fail(FaultCode::kInvalidConfig,
                fmt::format("scene.home_m = [{:g}, {:g}, {:g}]: {}", home.x, home.y, home.z, why));
  };
  const auto inside = [](double at, double min, double max) { return at >= min && at <= max; };
  if (!(inside(home.x, low.x, high.x) && inside(home.y, low.y, high.y) && inside(home.z, low.z, high.z)))
    return refused(fmt::format(
        "must lie in the workspace, [{:g}, {:g}, {:g}] to [{:g}, {:g}, {:g}] (safety.workspace_m_min, _max)", low.x,
        low.y, low.z, high.x, high.y, high.z));
  auto q_rad = core::InverseKinematics(config.scene.arm, home, 0);
  if (!q_rad) return refused(q_rad.error().detail);
  (*q_rad)[core::kJaw] = config.scene.jaw_open_rad;
  const auto room = safety::RoomAround(config.safety, *q_rad);
  return room ? Result<void>() : refused(room.error().detail);
}

/// Motors begin as warm as the room: colder than what safety believes, the cell could never be armed.
Result<void> CheckRoomTemperature(const Config& config) {
  const double room_c = config.cell.drives.ambient_c, least_c = config.safety.temperature_c_min;
  if (config.robot != RobotKind::kCell || room_c > least_c) return {};
  return Fail(FaultCode::kInvalidConfig,
              fmt::format("cell.drives.ambient_c = {:g}: must be above safety.temperature_c_min = {:g}, below which a "
                          "sensor is taken for broken",
                          room_c, least_c));
}

Result<void> CheckTask(const std::vector<core::TaskSpec>& tasks, std::size_t index, const std::string& where) {
  const core::TaskSpec& task = tasks[index];
  const std::string name = where + "tasks." + (task.name.empty() ? "?" : task.name) + ": ";
  if (task.name.empty()) return Fail(FaultCode::kInvalidConfig, name + "has no name; add name = \"...\"");
  if (auto named = CheckName(where + "tasks.name = \"" + task.name + "\"", task.name); !named) return named;
  for (std::size_t i = 0; i < index; ++i)
    if (tasks[i].name == task.name)
      return Fail(FaultCode::kInvalidConfig, name + "this name is taken; each task needs a name of its own");
  if (const auto made = skills::Task::Make(task); !made) return Fail(made.error().code, name + made.error().detail);
  const auto scripts = skills::ScriptNames();
  if (std::find(scripts.begin(), scripts.end(), task.script) != scripts.end()) return {};
  const std::string known = std::accumulate(scripts.begin(), scripts.end(), std::string(),
                                            [](std::string all, const std::string& one) { return all + " " + one; });
  return Fail(FaultCode::kInvalidConfig,
              name + "script = \"" + task.script + "\": unknown motion; those that exist:" + known);
}

/// Can an object lie in it?
Result<void> CheckRoom(const std::string& key, double min_m, double max_m, double object_half_m) {
  if (max_m - min_m > 2 * object_half_m) return {};
  return Fail(
      FaultCode::kInvalidConfig,
      fmt::format(
          "{}_max = {:g}: {:g} m from {}_min, and an object is {:g} m wide (twice scene.object_half_m); it must "
          "fit in: move the limits apart or make the object smaller",
          key, max_m, max_m - min_m, key, 2 * object_half_m));
}

Result<void> CheckWhole(const Config& config) {
  const std::string where = config.file + ": ";
  if (config.tasks.empty())
    return Fail(FaultCode::kInvalidConfig, where + "[[tasks]]: there is none; at least one task must be practised");
  const skills::Scene& scene = config.scene;
  if (!(scene.jaw_closed_rad < scene.jaw_empty_rad && scene.jaw_empty_rad < scene.jaw_wide_rad &&
        scene.jaw_wide_rad < scene.jaw_open_rad))
    return Fail(
        FaultCode::kInvalidConfig,
        where + "scene.jaw_wide_rad = " + std::to_string(scene.jaw_wide_rad) +
            ": the jaw's angles must rise from jaw_closed_rad over jaw_empty_rad and jaw_wide_rad to jaw_open_rad");
  const std::array<Result<void>, 13> judged{
      CheckRoom("scene.tray.x_m", scene.tray.x_min_m, scene.tray.x_max_m, scene.object_half_m),
      CheckRoom("scene.tray.y_m", scene.tray.y_min_m, scene.tray.y_max_m, scene.object_half_m),
      CheckRoom("scene.bin.x_m", scene.bin.x_min_m, scene.bin.x_max_m, scene.object_half_m),
      CheckRoom("scene.bin.y_m", scene.bin.y_min_m, scene.bin.y_max_m, scene.object_half_m),
      io::Validate(config.perception),
      io::cell::Validate(config.cell),
      safety::Validate(config.safety),
      learner::Validate(config.learner),
      runtime::Validate(config.practice),
      CheckListen(config.metrics.listen),
      CheckObjects(config.perception.objects),
      CheckHome(config),
      CheckRoomTemperature(config)};
  for (const Result<void>& part : judged)
    if (!part) return Fail(part.error().code, where + part.error().detail);
  return {};
}

}  // namespace nightshift::runtime
