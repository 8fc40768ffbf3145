// SPDX-License-Identifier: Apache-2.0
// Trainer::Save and Load. File, little endian: magic "NSLEARNR", u32 schema, u32 length of the header, header (JSON:
// cursor, steps, per agent its task, counters, dice and the lengths of its arrays, and the same of the risk critic),
// all floats in the header's order, SHA-256 (32 bytes) of everything before it. Schema 1 had no risk critic.
#include <algorithm>
#include <array>
#include <concepts>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "learner/trainer.h"
#include "skills/sealed_file.h"

namespace nightshift::learner {

namespace {

using core::Fail;
using core::FaultCode;
using nlohmann::json;

constexpr std::string_view kMagic = "NSLEARNR";
constexpr std::uint32_t kSchema = 2;

/// A state, or a constant one.
template <typename State, typename Of>
concept Is = std::same_as<std::remove_const_t<State>, Of>;

/// The arrays of a state, in the order of the file.
template <Is<AgentState> State>
auto ArraysOf(State& s) {
  return std::array{&s.actor,
                    &s.deployed,
                    &s.critics,
                    &s.targets,
                    &s.actor_adam.first,
                    &s.actor_adam.second,
                    &s.critic_adam.first,
                    &s.critic_adam.second,
                    &s.temperature_adam.first,
                    &s.temperature_adam.second};
}

template <Is<RiskState> State>
auto ArraysOf(State& s) {
  return std::array{&s.parameters, &s.adam.first, &s.adam.second};
}

template <typename State>
json LengthsOf(const State& s) {
  json lengths = json::array();
  for (const auto* array : ArraysOf(s)) lengths.push_back(array->size());
  return lengths;
}

json HeaderOf(const skills::RiskGroup& group) { return {group.episodes, group.solved, group.near_misses}; }

json HeaderOf(const RiskState& s) {
  return {{"lengths", LengthsOf(s)},        {"adam_steps", s.adam.steps}, {"dice", s.dice},
          {"updates", s.updates},           {"steps", s.steps},           {"advised", HeaderOf(s.advised)},
          {"control", HeaderOf(s.control)}, {"advises", s.advises}};
}

json HeaderOf(const std::string& task, std::int64_t own_steps, std::int64_t learned_steps, const AgentState& s) {
  std::uint32_t temperature_bits = 0;
  std::memcpy(&temperature_bits, &s.log_temperature, sizeof(temperature_bits));
  return {{"task", task},
          {"own_steps", own_steps},
          {"learned_steps", learned_steps},
          {"lengths", LengthsOf(s)},
          {"adam_steps", {s.actor_adam.steps, s.critic_adam.steps, s.temperature_adam.steps}},
          {"log_temperature_bits", temperature_bits},
          {"dice", s.dice},
          {"updates", s.updates},
          {"clone_updates", s.clone_updates},
          {"divergences", s.divergences}};
}

template <typename State>
void PutArrays(const State& state, std::string& floats) {
  for (const auto* array : ArraysOf(state))
    floats.append(reinterpret_cast<const char*>(array->data()), array->size() * sizeof(float));
}

/// Throws what nlohmann throws, and std::runtime_error when floats are missing.
template <typename State>
void ReadArrays(const json& header, std::string_view& floats, State& s) {
  std::size_t index = 0;
  for (auto* array : ArraysOf(s)) {
    const auto length = header.at("lengths").at(index++).get<std::size_t>();
    if (length > floats.size() / sizeof(float)) throw std::runtime_error("fewer numbers than the header says");
    array->resize(length);
    if (length > 0) std::memcpy(array->data(), floats.data(), length * sizeof(float));  // An empty one has no address.
    floats.remove_prefix(length * sizeof(float));
  }
}

AgentState ReadAgent(const json& header, std::string_view& floats) {
  AgentState s;
  ReadArrays(header, floats, s);
  s.actor_adam.steps = header.at("adam_steps").at(0).get<std::int64_t>();
  s.critic_adam.steps = header.at("adam_steps").at(1).get<std::int64_t>();
  s.temperature_adam.steps = header.at("adam_steps").at(2).get<std::int64_t>();
  const auto temperature_bits = header.at("log_temperature_bits").get<std::uint32_t>();
  std::memcpy(&s.log_temperature, &temperature_bits, sizeof(temperature_bits));
  s.dice = header.at("dice").get<Dice::State>();
  s.updates = header.at("updates").get<std::int64_t>();
  s.clone_updates = header.at("clone_updates").get<std::int64_t>();
  s.divergences = header.at("divergences").get<std::int64_t>();
  return s;
}

skills::RiskGroup ReadGroup(const json& from) {
  return {from.at(0).get<std::int64_t>(), from.at(1).get<std::int64_t>(), from.at(2).get<std::int64_t>()};
}

RiskState ReadRisk(const json& header, std::string_view& floats) {
  RiskState s;
  ReadArrays(header, floats, s);
  s.adam.steps = header.at("adam_steps").get<std::int64_t>();
  s.dice = header.at("dice").get<Dice::State>();
  s.updates = header.at("updates").get<std::int64_t>();
  s.steps = header.at("steps").get<std::int64_t>();
  s.advised = ReadGroup(header.at("advised"));
  s.control = ReadGroup(header.at("control"));
  s.advises = header.at("advises").get<bool>();
  return s;
}

void PutNumber(std::string& out, std::uint32_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::uint32_t NumberAt(const std::string& content, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, content.data() + at, sizeof(value));
  return value;
}

/// The newest manifest becomes the previous one without a moment in which neither is there: a hard link under a
/// temporary name, then a rename over the older.
core::Result<void> KeepAsPrevious(const std::string& path) {
  std::error_code error;
  const std::string temporary = path + ".keep", previous = path + ".previous";
  if (!std::filesystem::exists(path, error)) return {};
  std::filesystem::remove(temporary, error);
  std::filesystem::create_hard_link(path, temporary, error);
  if (!error) std::filesystem::rename(temporary, previous, error);
  if (error) return Fail(FaultCode::kIoFailed, previous + ": cannot keep the previous manifest: " + error.message());
  return {};
}

}  // namespace

core::Result<void> Trainer::Save(const std::string& path) const {
  json agents = json::array();
  std::string floats;
  const auto put = [&](const std::string& task, const StepCounts& steps, const AgentState& state) {
    agents.push_back(HeaderOf(task, steps.own, steps.learned, state));
    PutArrays(state, floats);
  };
  for (const auto& [name, entry] : entries_) put(name, entry.steps, entry.agent.state());
  for (const auto& [name, state] : saved_agents_) put(name, saved_steps_.at(name), state);
  PutArrays(risk_.state(), floats);
  const std::string header = json{
      {"cursor", std::max(cursor_, counted_cursor_)},
      {"steps", steps_},
      {"agents", agents},
      {"risk",
       HeaderOf(risk_.state())}}.dump();
  std::string content(kMagic);
  PutNumber(content, kSchema);
  PutNumber(content, static_cast<std::uint32_t>(header.size()));
  content += header;
  content += floats;
  if (auto kept = KeepAsPrevious(path); !kept) return kept;
  return skills::WriteSealed(path, content);
}

core::Result<void> Trainer::Decode(const std::string& content, const std::string& path) {
  const auto refuse = [&](FaultCode code, const std::string& why) { return Fail(code, path + ": " + why); };
  constexpr std::size_t kFixed = kMagic.size() + 8;
  if (content.size() < kFixed || content.compare(0, kMagic.size(), kMagic) != 0)
    return refuse(FaultCode::kCorruptState, "does not begin with NSLEARNR: not a learner's manifest");
  if (const std::uint32_t schema = NumberAt(content, kMagic.size()); schema > kSchema)
    return refuse(FaultCode::kSchemaTooNew, "schema " + std::to_string(schema) + ", this program reads up to " +
                                                std::to_string(kSchema) + "; use the Nightshift that wrote it");
  const std::size_t length = NumberAt(content, kMagic.size() + 4);
  if (length > content.size() - kFixed) return refuse(FaultCode::kCorruptState, "ends within its header");
  std::string_view floats = std::string_view(content).substr(kFixed + length);
  std::map<std::string, AgentState> agents;
  std::map<std::string, StepCounts> steps;
  std::optional<RiskState> risk;
  try {
    const json header = json::parse(std::string_view(content).substr(kFixed, length));
    for (const json& agent : header.at("agents")) {
      const auto task = agent.at("task").get<std::string>();
      agents[task] = ReadAgent(agent, floats);
      steps[task] = {agent.at("own_steps").get<std::int64_t>(), agent.at("learned_steps").get<std::int64_t>()};
    }
    if (header.contains("risk")) risk = ReadRisk(header.at("risk"), floats);
    if (!floats.empty()) return refuse(FaultCode::kCorruptState, "has more numbers than its header says");
    steps_ = header.at("steps").get<std::int64_t>();
    counted_cursor_ = header.at("cursor").get<std::int64_t>();
  } catch (const std::exception& error) {
    return refuse(FaultCode::kCorruptState, std::string("unreadable: ") + error.what());
  }
  if (risk)
    if (auto restored = risk_.Restore(std::move(*risk)); !restored)
      return refuse(restored.error().code, restored.error().detail);
  saved_agents_ = std::move(agents);
  saved_steps_ = std::move(steps);
  return {};
}

core::Result<std::string> Trainer::Load(const std::string& path) {
  const auto load = [&](const std::string& from) -> core::Result<void> {
    const auto content = skills::ReadSealed(from, FaultCode::kCorruptState);
    if (!content) return tl::make_unexpected(content.error());
    if (auto decoded = Decode(*content, from); !decoded) return decoded;
    for (auto& [name, entry] : entries_)
      if (const auto saved = saved_agents_.find(name); saved != saved_agents_.end()) {
        if (auto restored = entry.agent.Restore(saved->second); !restored)
          return Fail(restored.error().code, from + ": task " + name + ": " + restored.error().detail);
        entry.steps = saved_steps_[name];
        saved_agents_.erase(saved);
      }
    return {};
  };
  const auto newest = load(path);
  if (newest) return std::string();
  if (newest.error().code == FaultCode::kSchemaTooNew) return tl::make_unexpected(newest.error());
  const auto previous = load(path + ".previous");
  if (previous) return newest.error().detail;
  if (newest.error().code == FaultCode::kMissingFile && previous.error().code == FaultCode::kMissingFile)
    return tl::make_unexpected(newest.error());
  return Fail(newest.error().code == FaultCode::kMissingFile ? previous.error().code : newest.error().code,
              newest.error().detail + "; and " + previous.error().detail);
}

}  // namespace nightshift::learner
