// SPDX-License-Identifier: Apache-2.0
#include "skills/task.h"

#include <muParser.h>

namespace nightshift::skills {

using core::Fail;
using core::FaultCode;
using core::Outcome;
using core::Result;

/// Owns the values that its parser's variables point to.
class Predicate::Parsed {
 public:
  explicit Parsed(const std::string& expression) {
    for (int i = 0; i < kFacts; ++i)
      parser_.DefineVar(std::string(Name(static_cast<Fact>(i))), &values_[static_cast<std::size_t>(i)]);
    parser_.DefineInfixOprt("!", [](double v) { return v == 0 ? 1.0 : 0.0; });
    parser_.SetExpr(expression);
    parser_.Eval();  // Throws on an unknown name; parses once.
  }

  double Evaluate(const Facts& facts) {
    values_ = facts;
    return parser_.Eval();
  }

 private:
  Facts values_{};
  mu::Parser parser_;
};

Result<Predicate> Predicate::Parse(const std::string& expression) {
  Predicate predicate;
  predicate.text_ = expression;
  if (expression.empty()) return predicate;  // Never holds.
  try {
    predicate.parsed_ = std::make_shared<Parsed>(expression);
  } catch (const mu::Parser::exception_type& error) {
    std::string names;
    for (int i = 0; i < kFacts; ++i) names += (i ? ", " : "") + std::string(Name(static_cast<Fact>(i)));
    return Fail(FaultCode::kInvalidConfig,
                "condition \"" + expression + "\": " + error.GetMsg() + "; the names it may use are " + names);
  }
  return predicate;
}

bool Predicate::Holds(const Facts& facts) const { return parsed_ && parsed_->Evaluate(facts) != 0; }

Task::Task(core::TaskSpec spec, Predicate start, Predicate success, Predicate failure)
    : spec_(std::move(spec)), start_(std::move(start)), success_(std::move(success)), failure_(std::move(failure)) {}

Result<Task> Task::Make(const core::TaskSpec& spec) {
  if (spec.name.empty()) return Fail(FaultCode::kInvalidConfig, "a task has no name; give it one");
  if (spec.start.empty() || spec.success.empty())
    return Fail(FaultCode::kInvalidConfig, "task \"" + spec.name + "\": start and success must both be given");
  if (!(spec.time_limit >= core::Seconds(0.5) && spec.time_limit <= core::Seconds(600)))
    return Fail(FaultCode::kInvalidConfig,
                "task \"" + spec.name + "\": time_limit_s = " + std::to_string(core::ToSeconds(spec.time_limit)) +
                    ": must be in [0.5, 600]");
  auto start = Predicate::Parse(spec.start);
  auto success = Predicate::Parse(spec.success);
  auto failure = Predicate::Parse(spec.failure);
  for (const auto* condition : {&start, &success, &failure})
    if (!*condition) return Fail(condition->error().code, "task \"" + spec.name + "\": " + condition->error().detail);
  return Task(spec, *start, *success, *failure);
}

Outcome Task::Judge(const Facts& facts) const {
  if (success_.Holds(facts)) return Outcome::kSuccess;
  if (failure_.Holds(facts)) return Outcome::kFailure;
  return Outcome::kRunning;
}

Outcome Trial::Next(const Facts& facts, core::Instant now) {
  const Outcome judged = task_.Judge(facts);
  if (judged != holds_) {
    holds_ = judged;
    holds_since_ = now;
  }
  const core::Duration wanted = judged == Outcome::kSuccess ? task_.spec().success_hold : task_.spec().failure_hold;
  return now - holds_since_ >= wanted ? judged : Outcome::kRunning;
}

}  // namespace nightshift::skills
