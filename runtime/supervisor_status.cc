// SPDX-License-Identifier: Apache-2.0
#include "runtime/supervisor_status.h"

#include <map>

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"

namespace nightshift::runtime {
namespace {

void AddTasks(const Practice& practice, wire::SupervisorStatus& status) {
  std::map<std::string, wire::TaskStatus*> by_name;
  for (const core::TaskSpec& spec : practice.tasks()) {
    auto* task = status.add_tasks();
    task->set_task(spec.name);
    task->set_recovery(spec.recovery());
    if (const auto* slot = practice.slot(spec.name)) {
      task->set_promoted_version(slot->promoted_version());
      task->set_candidate_version(slot->candidate_version());
      task->set_policies(slot->InWords());
    }
    const LatestOfTask latest = practice.Latest(spec.name);
    task->set_single_try_attempts(latest.single_try.attempts());
    task->set_single_try_solved(latest.single_try.solved());
    task->set_mean_attempts(latest.mean.attempts());
    task->set_mean_solved(latest.mean.solved());
    by_name[spec.name] = task;
  }
  for (const core::Competence& known : practice.competence()) {
    auto* task = by_name.at(known.task);
    if (known.skill == core::SkillKind::kScripted) {
      task->set_scripted_attempts(static_cast<std::uint64_t>(known.attempts));
      task->set_scripted_solved(static_cast<std::uint64_t>(known.solved));
      task->set_scripted_competence(known.mean());
    } else {
      task->set_learned_attempts(static_cast<std::uint64_t>(known.attempts));
      task->set_learned_solved(static_cast<std::uint64_t>(known.solved));
      task->set_learned_competence(known.mean());
    }
  }
}

}  // namespace

std::string EncodeStatus(const Practice& practice, const Surroundings& around) {
  wire::SupervisorStatus status;
  const PracticeStatus& own = practice.status();
  status.set_activity(own.activity);
  status.set_why(own.why);
  status.set_task(own.task);
  status.set_skill(own.skill);
  status.set_robot_time_ns(core::ToNanoseconds(around.now));
  status.set_practised_ns(around.practised.count());
  status.set_episodes(own.episodes);
  status.set_transitions(own.transitions);
  status.set_transitions_this_session(own.transitions);
  status.set_interventions(own.interventions);
  AddTasks(practice, status);
  for (const std::string& mode : around.degraded) status.add_degraded(mode);
  io::Encode(around.latch, status.mutable_latch());
  status.set_fault(around.fault);
  status.set_risk(around.risk);
  return status.SerializeAsString();
}

}  // namespace nightshift::runtime
