// SPDX-License-Identifier: Apache-2.0
#include "learner/offline.h"

#include "learner/cloning.h"
#include "learner/conservative_q.h"
#include "learner/implicit_q.h"

namespace nightshift::learner {

namespace {

/// The first rows of each batch are demonstrations, where there are any.
class Mixture final : public Experience {
 public:
  Mixture(const Logged& logged, double share) : logged_(logged), share_(share) {}
  std::size_t size() const override { return logged_.practice.size() + logged_.demonstrations.size(); }
  void Draw(Dice& dice, Batch& batch, int row) const override {
    const bool shown = logged_.practice.size() == 0 || (logged_.demonstrations.size() > 0 && row < share_ * batch.rows);
    (shown ? logged_.demonstrations : logged_.practice).Draw(dice, batch, row);
  }

 private:
  Logged logged_;
  double share_;
};

/// What an algorithm says of its last update.
struct Told {
  double loss = 0, value_mean = 0;
};
Told Tell(double clone_error) { return {clone_error, 0}; }
Told Tell(const ImplicitQFacts& facts) { return {facts.critic_loss, facts.value_mean}; }
Told Tell(const ConservativeQFacts& facts) { return {facts.critic_loss, facts.q_mean}; }

template <typename Algorithm>
core::Result<Extraction> Run(Algorithm algorithm, int updates, const Experience& data,
                             const std::function<bool()>& must_end) {
  Extraction extraction;
  Told told;
  for (int i = 0; i < updates && extraction.finished; ++i) {
    auto updated = algorithm.Update(data);
    if (!updated) return tl::make_unexpected(updated.error());
    told = Tell(*updated);
    extraction.finished = !must_end();
  }
  extraction.state = algorithm.state();
  extraction.state.actor_adam = extraction.state.critic_adam = {};
  extraction.loss = told.loss;
  extraction.value_mean = told.value_mean;
  return extraction;
}

core::Result<void> Check(OfflineAlgorithm algorithm, const LoggedFacts& facts, const Replay& replay) {
  if (facts.samples == 0 && replay.refused() > 0)
    return core::Fail(core::FaultCode::kNotFinite, "all " + std::to_string(replay.refused()) +
                                                       " logged samples hold what is no number; look for a broken "
                                                       "sensor");
  return algorithm == OfflineAlgorithm::kCloning ? CanBeImitated(facts) : CanBeValued(facts);
}

}  // namespace

std::string_view Name(OfflineAlgorithm algorithm) {
  switch (algorithm) {
    case OfflineAlgorithm::kCloning: return "cloning";
    case OfflineAlgorithm::kImplicitQ: return "implicit_q";
    case OfflineAlgorithm::kConservativeQ: return "conservative_q";
  }
  return "?";
}

core::Result<Extraction> Extract(const OfflineConfig& config, const AgentConfig& agent, const Sizes& sizes,
                                 const Logged& logged, const AgentState& start, const std::function<bool()>& must_end) {
  const bool imitates = config.algorithm == OfflineAlgorithm::kCloning;
  const Replay& examined = imitates || logged.practice.size() == 0 ? logged.demonstrations : logged.practice;
  const LoggedFacts facts = FactsOf(examined);
  if (auto good = Check(config.algorithm, facts, imitates ? examined : logged.practice); !good)
    return tl::make_unexpected(good.error());
  const Mixture mixture(logged, agent.demonstration_share);
  core::Result<Extraction> extraction;
  switch (config.algorithm) {
    case OfflineAlgorithm::kCloning:
      extraction =
          Run(Cloning(config.cloning, agent, sizes, start), config.cloning.updates, logged.demonstrations, must_end);
      break;
    case OfflineAlgorithm::kImplicitQ:
      extraction = Run(ImplicitQ(config.implicit_q, agent, sizes, start), config.implicit_q.updates, mixture, must_end);
      break;
    case OfflineAlgorithm::kConservativeQ:
      extraction = Run(ConservativeQ(config.conservative_q, agent, sizes, start), config.conservative_q.updates,
                       mixture, must_end);
      break;
  }
  if (extraction) extraction->logged = facts;
  return extraction;
}

}  // namespace nightshift::learner
