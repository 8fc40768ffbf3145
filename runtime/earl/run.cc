// SPDX-License-Identifier: Apache-2.0
// File OUT/life: sealed (skills/sealed_file.h): text of the options, length of results.jsonl, steps of the last tally,
// evaluation and save, the life.
#include "runtime/earl/run.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "runtime/earl/bytes.h"
#include "runtime/earl/evaluation.h"
#include "skills/sealed_file.h"

namespace nightshift::runtime::earl {

namespace {

const char* Name(Learning learning) {
  switch (learning) {
    case Learning::kAll: return "all";
    case Learning::kDemonstrationsOnly: return "demonstrations";
    case Learning::kCloningOnly: return "cloning";
  }
  return "?";
}

const char* Name(Starts starts) {
  switch (starts) {
    case Starts::kAutonomous: return "autonomous";
    case Starts::kEpisodic: return "episodic";
    case Starts::kContinuing: return "continuing";
  }
  return "?";
}

/// Steps at which something last happened.
struct Marks {
  std::int64_t tally = 0, evaluation = 0, save = 0;
};

class Runner {
 public:
  explicit Runner(const RunOptions& options)
      : options_(options),
        results_((std::filesystem::path(options.out) / "results.jsonl").string()),
        state_((std::filesystem::path(options.out) / "life").string()) {}

  core::Result<void> Begin() {
    if (auto valid = Validate(options_.life.config); !valid) return valid;
    std::error_code trouble;
    std::filesystem::create_directories(options_.out, trouble);
    if (trouble) return core::Fail(core::FaultCode::kIoFailed, options_.out + ": " + trouble.message());
    auto exam = io::earl::MakeWorld(options_.life.scene, options_.life.data);
    if (!exam) return tl::make_unexpected(exam.error());
    exam_ = std::move(*exam);
    if (std::filesystem::exists(state_)) return Resume();
    auto life = Life::Make(options_.life);
    if (!life) return tl::make_unexpected(life.error());
    life_ = std::move(*life);
    began_ = options_.seconds();
    std::filesystem::remove(results_, trouble);
    if (auto told = Tell(fmt::format("{{\"kind\":\"run\",{},\"steps\":{},\"config\":{}}}", Who(), options_.steps,
                                     ToJson(options_.life.config)));
        !told)
      return told;
    return EvaluateNow();
  }

  core::Result<void> Live() {
    while (life_->course().steps < options_.steps && !options_.must_end()) {
      if (auto attempted = life_->Attempt(); !attempted) return attempted;
      const std::int64_t steps = life_->course().steps;
      if (steps / options_.tally_every > marks_.tally / options_.tally_every)
        if (auto told = TellTally(); !told) return told;
      if (steps / options_.evaluate_every > marks_.evaluation / options_.evaluate_every)
        if (auto told = EvaluateNow(); !told) return told;
      if (steps / options_.save_every > marks_.save / options_.save_every)
        if (auto saved = Save(); !saved) return saved;
    }
    return life_->course().steps < options_.steps ? core::Result<void>{} : TellEnd();
  }

 private:
  std::string Who() const {
    const LifeOptions& life = options_.life;
    return fmt::format("\"env\":\"{}\",\"seed\":{},\"learning\":\"{}\",\"starts\":\"{}\"", Name(life.scene), life.seed,
                       earl::Name(life.learning), earl::Name(life.starts));
  }
  /// A run of more steps is the same run.
  std::string Same() const {
    return Who() + ToJson(options_.life.config) +
           fmt::format("{} {} {} {}", options_.evaluate_every, options_.tally_every, options_.save_every,
                       options_.episodes);
  }

  core::Result<void> Tell(const std::string& line) {
    std::ofstream file(results_, std::ios::app);
    file << line << "\n";
    file.flush();
    if (!file) return core::Fail(core::FaultCode::kIoFailed, results_ + ": cannot be written");
    return {};
  }

  core::Result<void> TellTally() {
    const Tally& t = life_->tally();
    const Course& c = life_->course();
    const learner::UpdateFacts& f = life_->facts();
    marks_.tally = c.steps;
    auto told = Tell(fmt::format(
        "{{\"kind\":\"practice\",\"step\":{},\"forward\":[{},{}],\"reverse\":[{},{}],\"recover\":[{},{}],"
        "\"in_hole\":{},\"overlap_m_max\":{:.4f},\"reward_per_step\":{:.6f},\"shielded_steps\":{},\"home_steps\":{},"
        "\"press_steps\":{},"
        "\"unreachable_steps\":{},\"interventions\":{},\"asked\":{},\"lost_steps\":{},\"q_mean\":{:.3f},"
        "\"entropy\":{:.3f},\"temperature\":{:.5f},\"clone_error\":{:.5f},\"updates\":{},\"divergences\":{},\"state\":{"
        "}}}",
        c.steps, t.wins[0], t.attempts[0], t.wins[1], t.attempts[1], t.wins[2], t.attempts[2], t.wins_in_hole,
        t.overlap_m_max, static_cast<double>(t.reward) / static_cast<double>(t.steps), t.shielded, t.home_steps,
        t.press_steps, t.unreachable, c.interventions, c.asked, c.lost_until_now(), f.q_mean, f.entropy, f.temperature,
        f.clone_error, life_->agent().state().updates, life_->agent().state().divergences, Where()));
    life_->StartTally();
    if (!told) return told;
    return Tell(
        fmt::format("{{\"kind\":\"timing\",\"step\":{},\"seconds\":{:.1f}}}", c.steps, options_.seconds() - began_));
  }

  std::string Where() {
    std::string numbers;
    for (const float v : life_->world().state()) numbers += fmt::format("{}{:.3f}", numbers.empty() ? "" : ",", v);
    if (const auto peg = life_->world().peg())
      numbers += fmt::format(",{:.3f},{:.3f},{:.3f}", peg->axis[0], peg->axis[1], peg->axis[2]);
    return "[" + numbers + "]";
  }

  core::Result<void> EvaluateNow() {
    const std::int64_t steps = life_->course().steps;
    marks_.evaluation = steps;
    for (const auto which : {learner::Actor::kDeployed, learner::Actor::kRaw}) {
      Acting acting(life_->agent(), which);
      const bool deployed = which == learner::Actor::kDeployed;
      const int episodes = deployed ? options_.episodes : std::min(options_.episodes, 10);
      const auto seed = options_.life.seed * 1000003u + static_cast<std::uint64_t>(marks_.evaluation);
      const auto found = Evaluate(*exam_, acting, episodes, seed);
      if (!found) return tl::make_unexpected(found.error());
      if (auto told = Tell(fmt::format("{{\"kind\":\"evaluation\",\"step\":{},\"actor\":\"{}\",\"episodes\":{},"
                                       "\"solved\":{},\"in_hole\":{},\"overlap_m_max\":{:.4f},\"steps_mean\":{:.1f}}}",
                                       steps, deployed ? "averaged" : "raw", found->episodes, found->solved,
                                       found->in_hole, found->overlap_m_max, found->steps_mean));
          !told)
        return told;
    }
    return {};
  }

  core::Result<void> TellEnd() {
    const Course& c = life_->course();
    return Tell(
        fmt::format("{{\"kind\":\"end\",{},\"step\":{},\"interventions\":{},\"asked\":{},\"lost_fraction\":{:.5f},"
                    "\"reward_per_step\":{:.6f}}}",
                    Who(), c.steps, c.interventions, c.asked,
                    static_cast<double>(c.lost_until_now()) / static_cast<double>(c.steps),
                    static_cast<double>(c.reward) / static_cast<double>(c.steps)));
  }

  core::Result<void> Save() {
    marks_.save = life_->course().steps;
    Writer to;
    to.Put(Same());
    std::error_code trouble;
    to.Put(static_cast<std::uint64_t>(std::filesystem::file_size(results_, trouble)));
    to.Put(marks_);
    to.Put(life_->Save());
    return skills::WriteSealed(state_, to.bytes());
  }

  core::Result<void> Resume() {
    const auto content = skills::ReadSealed(state_, core::FaultCode::kCorruptState);
    if (!content) return tl::make_unexpected(content.error());
    Reader from(*content);
    std::string same, life;
    std::uint64_t length = 0;
    from.Take(same);
    from.Take(length);
    from.Take(marks_);
    from.Take(life);
    if (!from.done()) return core::Fail(core::FaultCode::kCorruptState, state_ + ": is of another length");
    if (same != Same())
      return core::Fail(core::FaultCode::kInvalidConfig,
                        options_.out + " holds a run of other options; give another --out, or the options that it has");
    std::error_code trouble;
    if (std::filesystem::file_size(results_, trouble) < length || trouble)
      return core::Fail(core::FaultCode::kCorruptState, results_ + ": is shorter than when the state was saved");
    auto gone_on = Life::GoOn(options_.life, life);
    if (!gone_on) return tl::make_unexpected(gone_on.error());
    life_ = std::move(*gone_on);
    began_ = options_.seconds();
    std::filesystem::resize_file(results_, length, trouble);
    if (trouble)  // Lines that were written after the state would be there twice.
      return core::Fail(core::FaultCode::kIoFailed, results_ + ": cannot be cut: " + trouble.message());
    return {};
  }

  const RunOptions& options_;
  std::string results_, state_;
  std::unique_ptr<Life> life_;
  std::unique_ptr<io::earl::World> exam_;
  Marks marks_;
  double began_ = 0;
};

}  // namespace

core::Result<void> RunEarl(const RunOptions& options) {
  Runner runner(options);
  if (auto begun = runner.Begin(); !begun) return begun;
  return runner.Live();
}

}  // namespace nightshift::runtime::earl
