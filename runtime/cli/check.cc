// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/check.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "io/link/link.h"
#include "runtime/cli/run.h"
#include "runtime/config.h"
#include "safety/checks/separation.h"

namespace nightshift::runtime::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kGibibyte = 1024.0 * 1024 * 1024;
constexpr double kFreeGibMin = 0.5;  // Less: practice pauses on its own within the hour.
constexpr double kFreeGibGood = 5;   // A week of practice, with its snapshots.
constexpr long kYearMin = 2024;      // A clock before this was never set.

Checked CheckConfig(const std::string& file) {
  const auto config = LoadConfig(file);
  if (!config) return {Finding::kBad, "configuration", config.error().detail};
  std::string tasks;
  for (const core::TaskSpec& task : config->tasks) tasks += (tasks.empty() ? "" : ", ") + task.name;
  return {Finding::kGood, "configuration", config->file + ": tasks " + tasks};
}

Checked CheckPerception(const Config& config) {
  if (config.perception.source == io::PerceptionSource::kGroundTruth)
    return {Finding::kWarning, "perception", "ground truth of the simulated cell: for quick tests only"};
  return {Finding::kGood, "perception", fmt::format("camera, {} objects by colour", config.perception.objects.size())};
}

Checked CheckPresence(const safety::Limits& limits) {
  const safety::PresenceConfig& presence = limits.presence;
  const safety::Separation separation(limits);
  const double least = presence.speed_scale_min, full_m_s = separation.full_speed_m_s();
  const std::string distances =
      fmt::format("the arm stops for a person at {:.2f} m and can keep its whole speed from {:.2f} m",
                  separation.NeededM(least) + separation.UnseenM(least * full_m_s),
                  separation.NeededM(1) + separation.UnseenM(full_m_s));
  switch (presence.source) {
    case safety::PresenceSource::kNone:
      return {Finding::kWarning, "presence",
              "no presence sensor: nobody is seen, and the arm slows for nobody; fence it in, or name a sensor with "
              "safety.presence.source"};
    case safety::PresenceSource::kTopic: return {Finding::kGood, "presence", "told by a program; " + distances};
    case safety::PresenceSource::kGpio: break;
  }
  if (::access(presence.value_file.c_str(), R_OK) != 0)
    return {
        Finding::kBad, "presence",
        presence.value_file + ": " + std::strerror(errno) + "; a switch that cannot be read is a person at the arm"};
  return {Finding::kGood, "presence", presence.value_file + "; " + distances};
}

Checked CheckProcessor(const Config& config) {
  const int cpu = config.real_time.cpu;
  if (cpu < 0) return {Finding::kGood, "processor", "the control thread runs on any"};
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_ISSET(static_cast<std::size_t>(cpu), &allowed))
    return {Finding::kGood, "processor", fmt::format("the control thread stays on {}", cpu)};
  return {Finding::kWarning, "processor",
          fmt::format("safety.cpu = {}: none that this machine lets us use; the control thread would run on any", cpu)};
}

Checked CheckContact(const Config& config) {
  const std::size_t zones = config.safety.contact_zones.size();
  if (zones == 0)
    return {
        Finding::kWarning, "contact",
        "not watched: say where the fingers meet things in [[safety.contact_zones]], and contact elsewhere stops the "
        "arm"};
  return {Finding::kGood, "contact", fmt::format("expected in {} zone{}", zones, zones == 1 ? "" : "s")};
}

Checked CheckPrograms() {
  std::string missing;
  for (const Program& program : ProgramsOf({}, OwnFolder()))
    if (::access(program.path.c_str(), X_OK) != 0) missing += " " + program.path;
  if (!missing.empty()) return {Finding::kBad, "programs", "missing:" + missing + "; build with script/build"};
  return {Finding::kGood, "programs", "all in " + OwnFolder()};
}

Checked CheckLibrary(const std::string& what, const char* library, const std::string& remedy) {
  void* handle = ::dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (!handle) return {Finding::kBad, what, std::string(library) + " cannot be loaded; " + remedy};
  ::dlclose(handle);
  return {Finding::kGood, what, library};
}

Checked CheckClock() {
  const auto now = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const auto year = static_cast<int>(std::chrono::year_month_day(now).year());
  if (year < kYearMin)
    return {Finding::kWarning, "clock",
            fmt::format("says it is {}; dates in the journal will be wrong: set up NTP", year)};
  return {Finding::kGood, "clock", "plausible"};
}

/// The nearest folder that exists on the way to `path`.
fs::path Existing(fs::path path) {
  std::error_code trouble;
  while (!fs::exists(path, trouble) && path.has_parent_path() && path != path.parent_path()) path = path.parent_path();
  return path;
}

Checked CheckDisk(const fs::path& data) {
  std::error_code trouble;
  const auto space = fs::space(Existing(data), trouble);
  if (trouble) return {Finding::kBad, "disk", data.string() + ": " + trouble.message()};
  const double free_gib = static_cast<double>(space.available) / kGibibyte;
  const std::string text = fmt::format("{:.1f} GiB free at {}", free_gib, data.string());
  if (free_gib < kFreeGibMin)
    return {Finding::kBad, "disk", text + fmt::format("; at least {} GiB are needed: make room", kFreeGibMin)};
  if (free_gib < kFreeGibGood)
    return {Finding::kWarning, "disk", text + fmt::format("; {} GiB last for a week of practice", kFreeGibGood)};
  return {Finding::kGood, "disk", text};
}

/// Why no file can be made there; empty: it can.
std::string Unwritable(const fs::path& folder) {
  std::string probe = (folder / ".nightshift-check-XXXXXX").string();
  const int descriptor = ::mkstemp(probe.data());
  if (descriptor < 0) return folder.string() + ": " + std::strerror(errno);
  ::close(descriptor);
  ::unlink(probe.c_str());
  return "";
}

Checked CheckWritable(const fs::path& data) {
  const fs::path folder = Existing(data);
  std::vector<fs::path> folders{folder};
  for (const char* part : {"run", "log", "journal", "learner", "snapshots", "audit"})
    if (std::error_code trouble; fs::is_directory(data / part, trouble)) folders.push_back(data / part);
  for (const fs::path& one : folders)
    if (const std::string why = Unwritable(one); !why.empty())
      return {Finding::kBad, "data directory", why + "; give one that you may write with --data, or change its owner"};
  return {Finding::kGood, "data directory", data.string() + (folder == data ? "" : " (will be made)")};
}

Checked CheckSockets(const fs::path& data) {
  const auto endpoints = io::EndpointsIn((data / "run").string());
  if (!endpoints) return {Finding::kBad, "sockets", endpoints.error().detail};
  return {Finding::kGood, "sockets", "in " + (data / "run").string()};
}

const char* Word(Finding finding) {
  switch (finding) {
    case Finding::kGood: return "good   ";
    case Finding::kWarning: return "warning";
    case Finding::kBad: return "BAD    ";
  }
  return "?";
}

}  // namespace

std::vector<Checked> CheckAll(const std::string& config_file, const std::string& data_directory) {
  std::vector<Checked> all{CheckConfig(config_file)};
  if (const auto config = LoadConfig(config_file)) {
    all.push_back(CheckPerception(*config));
    all.push_back(CheckPresence(config->safety));
    all.push_back(CheckProcessor(*config));
    all.push_back(CheckContact(*config));
  }
  all.push_back(CheckPrograms());
  all.push_back(CheckLibrary("linear algebra", "libdnnl.so.2", "install libdnnl2: the learner's matrix products"));
  all.push_back(CheckLibrary("rendering", "libEGL.so.1", "install libegl1 and libegl-mesa0"));
  all.push_back(CheckClock());
  if (data_directory.empty()) return all;
  const fs::path data = fs::absolute(data_directory).lexically_normal();
  all.push_back(CheckDisk(data));
  all.push_back(CheckWritable(data));
  all.push_back(CheckSockets(data));
  return all;
}

Finding Worst(const std::vector<Checked>& checked) {
  Finding worst = Finding::kGood;
  for (const Checked& one : checked) worst = std::max(worst, one.finding);
  return worst;
}

std::string Text(const std::vector<Checked>& checked) {
  std::string text;
  for (const Checked& one : checked) text += fmt::format("{} {:<15} {}\n", Word(one.finding), one.what, one.detail);
  return text;
}

}  // namespace nightshift::runtime::cli
