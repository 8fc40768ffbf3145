// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "core/fault.h"
#include "runtime/evaluation.h"

namespace CLI {
class App;
}

namespace nightshift::runtime::cli {

struct EvaluateOptions {
  std::string config = "configs/tabletop.toml";
  std::string data = "data/tabletop";
  std::string policy = "learned";
  EvaluationPlan plan;
};

/// Starts a cell and a safety process of its own in a folder that is removed afterwards, measures, prints one JSON line
/// and a sentence. The data directory is only read: replay, competence and the running cell are not touched.
core::Result<void> Evaluate(const EvaluateOptions& options);

/// Registers `nightshift evaluate`.
void AddEvaluate(CLI::App& app, std::function<int()>& action);

}  // namespace nightshift::runtime::cli
