// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "runtime/earl/run.h"

namespace {

using namespace nightshift;
namespace earl = runtime::earl;

volatile std::sig_atomic_t must_end = 0;

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Practises one world of the EARL benchmark (docs/results.md says how and what came of it)."};
  std::string env;
  earl::RunOptions run;
  bool episodic = false, continuing = false, clone_only = false, demo_only = false;
  std::vector<std::string> assignments;
  app.add_option("--env", env, "tabletop, sawyer_door or sawyer_peg")->required();
  app.add_option("--seed", run.life.seed, "of everything random")->required();
  app.add_option("--steps", run.steps, "of practice")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--data", run.life.data, "folder of the benchmark")->required();
  app.add_option("--out", run.out, "folder of results.jsonl; a run that was cut off goes on in it")->required();
  app.add_flag("--episodic", episodic, "the oracle: every attempt from the initial distribution, forward only");
  app.add_flag("--continuing", continuing,
               "the benchmark's continuing evaluation: the goal changes every 400 or 600 steps, won or not");
  app.add_flag("--clone-only", clone_only, "control: clones the demonstrations and learns no more");
  app.add_flag("--demo-only", demo_only, "control: practises, and learns from the demonstrations alone");
  app.add_option("--episodes", run.episodes, "of each deployed evaluation")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--evaluate-every", run.evaluate_every, "steps")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--save-every", run.save_every, "steps")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--set", assignments, "key=number of the configuration, for experiments");
  CLI11_PARSE(app, count, arguments);

  const auto scene = io::earl::SceneNamed(env);
  if (!scene) return fmt::print(stderr, "--env {}: tabletop, sawyer_door or sawyer_peg\n", env), 2;
  if (clone_only && demo_only) return fmt::print(stderr, "--clone-only and --demo-only are two controls\n"), 2;
  run.life.scene = *scene;
  run.life.config = earl::ConfigOf(*scene);
  for (const auto& assignment : assignments)
    if (auto set = earl::Set(run.life.config, assignment); !set)
      return fmt::print(stderr, "{}\n", set.error().detail), 2;
  if (episodic && continuing) return fmt::print(stderr, "--episodic and --continuing are two kinds of life\n"), 2;
  if (episodic) run.life.starts = earl::Starts::kEpisodic;
  if (continuing) run.life.starts = earl::Starts::kContinuing;
  if (clone_only) run.life.learning = earl::Learning::kCloningOnly;
  if (demo_only) run.life.learning = earl::Learning::kDemonstrationsOnly;
  run.seconds = Seconds;
  run.must_end = [] { return must_end != 0; };
  std::signal(SIGINT, [](int) { must_end = 1; });
  std::signal(SIGTERM, [](int) { must_end = 1; });
  if (auto ran = earl::RunEarl(run); !ran) return fmt::print(stderr, "earl: {}\n", ran.error().detail), 1;
  return 0;
}
