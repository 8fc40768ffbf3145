// SPDX-License-Identifier: Apache-2.0
// Trainer::Save and Load. File, little endian: magic "NSLEARNR", u32 schema, u32 length of the header, header (JSON:
// cursor, steps, per agent its task, counters, replay cursors, probe of its actors, and of its state and the one it
// falls back to counters, dice and the lengths of arrays; the same of the risk critic), all floats in the header's
// order, SHA-256 (32 bytes) of everything before it. Schema 1 had no risk critic; schema 2 no state to fall back to, no
// replay cursors and no probe.
#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

#include "core/check.h"
#include "learner/trainer.h"
#include "skills/sealed_file.h"

namespace nightshift::learner {

namespace {

using core::Fail;
using core::FaultCode;
using nlohmann::json;

constexpr std::string_view kMagic = "NSLEARNR";
constexpr std::uint32_t kSchema = 3;

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

/// JSON has neither NaN nor infinity, and a number must come back to the bit.
template <typename Bits, typename Number>
Bits BitsOf(Number number) {
  return std::bit_cast<Bits>(number);
}

json HeaderOf(const AgentState& s) {
  const ActorFacts& f = s.actor_facts;
  json facts = json::array();
  for (const double fact : {f.entropy, f.saturated_share, f.clone_error, s.actor_gradient_norm})
    facts.push_back(BitsOf<std::uint64_t>(fact));
  return {{"lengths", LengthsOf(s)},
          {"adam_steps", {s.actor_adam.steps, s.critic_adam.steps, s.temperature_adam.steps}},
          {"log_temperature_bits", BitsOf<std::uint32_t>(s.log_temperature)},
          {"actor_facts_bits", facts},
          {"dice", s.dice},
          {"updates", s.updates},
          {"clone_updates", s.clone_updates},
          {"divergences", s.divergences}};
}

json HeaderOf(const ReplayCursor& cursor) { return {cursor.added, cursor.digest}; }

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
  s.log_temperature = std::bit_cast<float>(header.at("log_temperature_bits").get<std::uint32_t>());
  s.dice = header.at("dice").get<Dice::State>();
  s.updates = header.at("updates").get<std::int64_t>();
  s.clone_updates = header.at("clone_updates").get<std::int64_t>();
  s.divergences = header.at("divergences").get<std::int64_t>();
  if (!header.contains("actor_facts_bits")) return s;
  const auto bits = header.at("actor_facts_bits").get<std::array<std::uint64_t, 4>>();
  s.actor_facts = {std::bit_cast<double>(bits[0]), std::bit_cast<double>(bits[1]), std::bit_cast<double>(bits[2])};
  s.actor_gradient_norm = std::bit_cast<double>(bits[3]);
  return s;
}

ReplayCursor ReadCursor(const json& from) { return {from.at(0).get<std::uint64_t>(), from.at(1).get<std::uint64_t>()}; }

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

/// What is in a file, before any of it is believed.
struct Trainer::Manifest {
  std::int64_t cursor = 0, steps = 0;
  std::map<std::string, Saved> agents;
  std::map<std::string, skills::Probe> probes;  // Of the deployed actor, then the raw one; none in schema 2.
  std::optional<RiskState> risk;
};

namespace {

/// Throws what nlohmann throws, and std::runtime_error when floats are missing.
template <typename Manifest>
void ReadAgents(const json& header, std::string_view& floats, Manifest& into) {
  for (const json& agent : header.at("agents")) {
    const auto task = agent.at("task").get<std::string>();
    auto& saved = into.agents[task];
    saved.life.own_steps = agent.at("own_steps").get<std::int64_t>();
    saved.life.learned_steps = agent.at("learned_steps").get<std::int64_t>();
    saved.state = ReadAgent(agent.contains("state") ? agent.at("state") : agent, floats);
    if (agent.contains("state")) {
      saved.life.own_after = agent.at("own_after").get<std::int64_t>();
      saved.life.others_after = agent.at("others_after").get<std::int64_t>();
      saved.life.diverged_in_a_row = agent.at("diverged_in_a_row").get<std::int64_t>();
      saved.life.sampled_at = agent.at("sampled_at").get<std::int64_t>();
      saved.life.solved = agent.at("solved").get<std::int64_t>();
      saved.healthy = ReadAgent(agent.at("healthy"), floats);
      if (agent.contains("replays"))
        saved.replays.emplace(ReadCursor(agent.at("replays").at(0)), ReadCursor(agent.at("replays").at(1)));
      into.probes[task] = agent.at("probe").get<skills::Probe>();
    }
  }
}

/// Of the deployed actor, then of the raw one.
core::Result<skills::Probe> ProbeOfBoth(const Agent& agent) {
  skills::Probe both;
  for (const Actor which : {Actor::kDeployed, Actor::kRaw}) {
    auto policy = skills::LearnedPolicy::Make(agent.Weights(which));
    if (!policy) return tl::make_unexpected(policy.error());
    const skills::Probe one = skills::ProbeOf(*policy);
    both.insert(both.end(), one.begin(), one.end());
  }
  return both;
}

}  // namespace

Trainer::Saved Trainer::SavedOf(const Entry& entry) const {
  const bool refilling = cursor_ < counted_cursor_ && entry.refill_to;
  return {entry.agent.state(), entry.agent.healthy(), entry.life,
          refilling ? *entry.refill_to
                    : ReplayCursors{entry.agent.practice().cursor(), entry.agent.demonstrations().cursor()}};
}

core::Result<void> Trainer::Adopt(Saved saved, Entry& entry) {
  if (auto restored = entry.agent.Restore(std::move(saved.state), std::move(saved.healthy)); !restored) return restored;
  entry.life = saved.life;
  entry.refill_to = saved.replays;
  return {};
}

core::Result<void> Trainer::Save(const std::string& path) {
  json agents = json::array();
  std::string floats;
  Agent probed(config_.agent, 0);
  const auto put = [&](const std::string& task, const Saved& saved) -> core::Result<void> {
    const AgentState& healthy = saved.healthy ? *saved.healthy : saved.state;
    if (auto fits = probed.Restore(saved.state); !fits) return fits;
    const auto probe = ProbeOfBoth(probed);
    if (!probe) return tl::make_unexpected(probe.error());
    json header{{"task", task},
                {"own_steps", saved.life.own_steps},
                {"learned_steps", saved.life.learned_steps},
                {"own_after", saved.life.own_after},
                {"others_after", saved.life.others_after},
                {"diverged_in_a_row", saved.life.diverged_in_a_row},
                {"sampled_at", saved.life.sampled_at},
                {"solved", saved.life.solved},
                {"state", HeaderOf(saved.state)},
                {"healthy", HeaderOf(healthy)},
                {"probe", *probe}};
    if (saved.replays) header["replays"] = {HeaderOf(saved.replays->practice), HeaderOf(saved.replays->demonstrations)};
    agents.push_back(std::move(header));
    PutArrays(saved.state, floats);
    PutArrays(healthy, floats);
    return {};
  };
  for (const auto& [name, entry] : entries_)
    if (auto done = put(name, SavedOf(entry)); !done) return done;
  for (const auto& [name, saved] : saved_)
    if (auto done = put(name, saved); !done) return done;
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
  if (path != refused_manifest_)  // That one must not take the place of the good one that was used instead.
    if (auto kept = KeepAsPrevious(path); !kept) return kept;
  if (auto written = skills::WriteSealed(path, content); !written) return written;
  if (path == refused_manifest_) refused_manifest_.clear();
  return {};
}

core::Result<Trainer::Manifest> Trainer::Decode(const std::string& content, const std::string& path) {
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
  Manifest manifest;
  try {
    const json header = json::parse(std::string_view(content).substr(kFixed, length));
    ReadAgents(header, floats, manifest);
    if (header.contains("risk")) manifest.risk = ReadRisk(header.at("risk"), floats);
    manifest.steps = header.at("steps").get<std::int64_t>();
    manifest.cursor = header.at("cursor").get<std::int64_t>();
  } catch (const std::exception& error) {
    return refuse(FaultCode::kCorruptState, std::string("unreadable: ") + error.what());
  }
  if (!floats.empty()) return refuse(FaultCode::kCorruptState, "has more numbers than its header says");
  return manifest;
}

/// On agents that nobody uses: sizes, finite numbers, and does each actor do what it did when it was saved?
core::Result<void> Trainer::TryOut(const Manifest& manifest) const {
  Agent trial(config_.agent, 0);
  for (const auto& [task, saved] : manifest.agents) {
    if (auto fits = trial.Restore(saved.state, saved.healthy); !fits)
      return Fail(fits.error().code, "task " + task + ": " + fits.error().detail);
    const auto before = manifest.probes.find(task);
    if (before == manifest.probes.end()) continue;
    const auto now = ProbeOfBoth(trial);
    if (!now) return Fail(FaultCode::kCorruptState, "task " + task + ": " + now.error().detail);
    if (const auto trouble = skills::ProbeTrouble(before->second, *now))
      return Fail(FaultCode::kCorruptState, "task " + task + ": the actor " + *trouble);
  }
  return {};
}

/// All of a manifest or nothing.
core::Result<void> Trainer::LoadFrom(const std::string& path) {
  const auto content = skills::ReadSealed(path, FaultCode::kCorruptState);
  if (!content) return tl::make_unexpected(content.error());
  auto manifest = Decode(*content, path);
  if (!manifest) return tl::make_unexpected(manifest.error());
  if (auto good = TryOut(*manifest); !good) return Fail(good.error().code, path + ": " + good.error().detail);
  if (manifest->risk)
    if (auto restored = risk_.Restore(std::move(*manifest->risk)); !restored)
      return Fail(restored.error().code, path + ": " + restored.error().detail);
  steps_ = manifest->steps;
  counted_cursor_ = manifest->cursor;
  saved_ = std::move(manifest->agents);
  for (auto& [name, entry] : entries_)
    if (const auto saved = saved_.find(name); saved != saved_.end()) {
      NIGHTSHIFT_CHECK(Adopt(std::move(saved->second), entry));  // It was tried out.
      saved_.erase(saved);
    }
  return {};
}

core::Result<std::string> Trainer::Load(const std::string& path) {
  const auto newest = LoadFrom(path);
  if (newest) return std::string();
  if (newest.error().code == FaultCode::kSchemaTooNew) return tl::make_unexpected(newest.error());
  const auto previous = LoadFrom(path + ".previous");
  if (previous) {
    refused_manifest_ = path;
    return newest.error().detail;
  }
  if (newest.error().code == FaultCode::kMissingFile && previous.error().code == FaultCode::kMissingFile)
    return tl::make_unexpected(newest.error());
  return Fail(newest.error().code == FaultCode::kMissingFile ? previous.error().code : newest.error().code,
              newest.error().detail + "; and " + previous.error().detail);
}

void Trainer::EndRefill() {
  if (cursor_ >= counted_cursor_) return;
  if (!refill_trouble_) refill_trouble_ = CompareReplays();
  counted_cursor_ = cursor_;
}

std::string Trainer::CompareReplays() const {
  std::string trouble;
  for (const auto& [name, entry] : entries_) {
    if (!entry.refill_to) continue;
    const ReplayCursors now{entry.agent.practice().cursor(), entry.agent.demonstrations().cursor()};
    if (now == *entry.refill_to) continue;
    trouble += (trouble.empty() ? "" : "; ") + name + " was given " + std::to_string(now.practice.added) +
               " samples and " + std::to_string(now.demonstrations.added) + " demonstrated ones, not the " +
               std::to_string(entry.refill_to->practice.added) + " and " +
               std::to_string(entry.refill_to->demonstrations.added) + " of before";
  }
  return trouble.empty() ? "" : trouble + ": the journal no longer has all of it; learning goes on from what there is";
}

}  // namespace nightshift::learner
