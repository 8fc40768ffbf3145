// SPDX-License-Identifier: Apache-2.0
// Updates per second of the learner, of the same written in LibTorch, and in Python's PyTorch; the rate of the matrix
// products measured in the same run, and the share of it that is reached. One JSON line per figure.
//   build/bin/bench_learner [--seconds 2] [--only TEXT]     lines whose name holds TEXT
// What disturbs a measurement only ever makes it slower: of five rounds the best counts, and the median stands beside.
#include <cblas.h>
#include <fmt/core.h>
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "learner/actor_critic.h"
#include "learner/product.h"
#include "learner/replay.h"
#include "tests/benchmarks/learning_race.h"
#include "tests/benchmarks/reference_sac.h"

namespace nightshift {
namespace {

using Json = nlohmann::ordered_json;
using learner::AgentConfig;
using learner::Compute;
using learner::Crew;
using learner::Phase;
using learner::Precision;
using learner::ProductShape;
using learner::Sizes;

constexpr int kRounds = 5;

struct Options {
  double seconds = 2;  // Of each measurement.
  std::string only;
};

double WallS() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Of all threads of this program.
double ProcessorS() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Rate {
  double best = 0, median = 0;  // Per second.
  double per_processor_s = 0;   // The best round's: what other programs take does not count.
};

Rate RateOf(double seconds, const std::function<void()>& run) {
  for (int i = 0; i < 20; ++i) run();
  std::vector<double> rates;
  double per_processor_s = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = WallS(), processor_begin = ProcessorS();
    int count = 0;
    for (; WallS() - begin < seconds / kRounds; ++count) run();
    rates.push_back(count / (WallS() - begin));
    per_processor_s = std::max(per_processor_s, count / (ProcessorS() - processor_begin));
  }
  std::sort(rates.begin(), rates.end());
  return {rates.back(), rates[kRounds / 2], per_processor_s};
}

struct Workload {
  std::string name;
  Sizes sizes;
  AgentConfig config;
};

AgentConfig Learning(int width, int critics, int asked, int actor_every) {
  AgentConfig config;
  config.width = width;
  config.critics = critics;
  config.critics_asked = asked;
  config.actor_every = actor_every;
  config.clone_weight = 0;
  return config;
}

std::vector<Workload> Workloads() {
  return {{"reference_2_critics", {17, 6}, Learning(256, 2, 2, 1)},
          {"reference_10_critics", {17, 6}, Learning(256, 10, 10, 1)},
          {"reference_10_critics_2_asked", {17, 6}, Learning(256, 10, 2, 1)},
          {"product_default", {28, 4}, Learning(128, 2, 2, 2)}};
}

/// Of the matrix products alone, per update.
double FlopPerUpdate(const Workload& w) {
  const double rows = w.config.batch, width = w.config.width, state = w.sizes.state, action = w.sizes.action;
  const double critic = 2 * rows * width * ((state + action) + width + 1), hidden = 2 * rows * width * width;
  const double actor = 2 * rows * width * (state + width + 2 * action), last = 2 * rows * width * 2 * action;
  const double asked = std::min(w.config.critics, w.config.critics_asked);
  const double critics = w.config.critics * (2 * critic + hidden);  // Forward, gradient, back through the hidden layer.
  const double to_input = w.config.critics * (critic + hidden + 2 * rows * width * (action + 1));
  return actor + asked * critic + critics + (2 * actor + hidden + last + to_input) / w.config.actor_every;
}

/// Standard normals, rewards now and then.
learner::Replay Filled(const Sizes& sizes, std::uint64_t seed) {
  constexpr int kSamples = 20000;
  learner::Replay replay(sizes, kSamples);
  learner::Dice dice(seed);
  std::vector<float> before(static_cast<std::size_t>(sizes.state)), after(before.size());
  std::vector<float> action(static_cast<std::size_t>(sizes.action));
  for (int i = 0; i < kSamples; ++i) {
    for (std::size_t k = 0; k < before.size(); ++k) dice.Normals(before[k], after[k]);
    for (float& a : action) a = 2 * dice.Unit() - 1;
    replay.Add({before, action, dice.Unit() < 0.05f ? 1.0f : 0.0f, after, 0.97f});
  }
  return replay;
}

double GflopPerS(double seconds, const ProductShape& shape) {
  const auto numbers = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
  std::vector<float> a(numbers(shape.rows, shape.inner)), b(numbers(shape.inner, shape.columns));
  std::vector<float> c(numbers(shape.rows, shape.columns));
  learner::Product product(shape);
  const Rate rate = RateOf(seconds, [&] { product.Multiply(a.data(), b.data(), c.data()); });
  return rate.per_processor_s * 2 * shape.rows * shape.columns * shape.inner * 1e-9;
}

double OpenBlasGflopPerS(double seconds, int n) {
  openblas_set_num_threads(1);
  const auto numbers = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
  std::vector<float> a(numbers), b(numbers), c(numbers);
  const Rate rate = RateOf(seconds, [&] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
  });
  return rate.per_processor_s * 2e-9 * n * n * n;
}

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}

  void Run() {
    const bool bf16 = learner::HasBf16();
    Print({{"name", "machine"}, {"products", learner::ProductUnit()}, {"openblas", openblas_get_corename()}});
    MeasureProducts(bf16);
    for (const Workload& workload : Workloads()) {
      MeasureFast(workload, Precision::kFp32);
      if (bf16) MeasureFast(workload, Precision::kBf16);
      MeasureReference(workload);
      MeasurePeer(workload);
    }
    if (Wanted("learning")) tests::RaceToLearn([](const Json& line) { Print(line); });
  }

 private:
  static void Print(const Json& line) {
    fmt::print("{}\n", line.dump());
    std::fflush(stdout);
  }
  bool Wanted(const std::string& name) const { return name.find(options_.only) != std::string::npos; }

  /// One thread. The rate of a network is that of its hidden layer's three products, one after the other.
  void MeasureProducts(bool bf16) {
    const double seconds = std::min(1.0, options_.seconds / 4);
    for (const auto element : {ProductShape::Element::kFp32, ProductShape::Element::kBf16}) {
      if (element == ProductShape::Element::kBf16 && !bf16) continue;
      const bool is_short = element == ProductShape::Element::kBf16;
      for (const int width : {256, 128}) {
        using Layout = ProductShape::Layout;
        const std::vector<std::pair<std::string, ProductShape>> shapes{
            {"onward", {256, width, width, Layout::kAsIs, Layout::kTransposed, element}},
            {"back", {256, width, width, Layout::kAsIs, Layout::kAsIs, element}},
            {"gradient", {width, width, 256, Layout::kTransposed, Layout::kAsIs, element}}};
        Json line{{"name", fmt::format("product_{}_{}", is_short ? "bf16" : "fp32", width)}, {"unit", "GFLOP/s"}};
        double time = 0;
        for (const auto& [name, shape] : shapes) {
          const double rate = GflopPerS(seconds, shape);
          line[name] = std::round(rate);
          time += 1 / rate;
        }
        RateFor(is_short, width) = 3 / time;
        line["together"] = std::round(3 / time);
        Print(line);
      }
    }
    Print({{"name", "openblas_fp32_256"}, {"unit", "GFLOP/s"}, {"rate", std::round(OpenBlasGflopPerS(seconds, 256))}});
  }

  double& RateFor(bool is_short, int width) { return rates_[is_short ? 1 : 0][width == 256 ? 0 : 1]; }

  void MeasureFast(const Workload& w, Precision precision) {
    const bool is_short = precision == Precision::kBf16;
    const learner::Replay practice = Filled(w.sizes, 1), shown = Filled(w.sizes, 2);
    for (const int threads : {1, 2}) {
      const std::string name = fmt::format("{}_fast_{}_{}", w.name, is_short ? "bf16" : "fp32", threads);
      if (!Wanted(name)) continue;
      const Compute compute{std::make_shared<Crew>(threads), precision};
      learner::ActorCritic learner(w.config, w.sizes, 1, compute);
      const Rate rate = RateOf(options_.seconds, [&] { learner.Update(Phase::kLearning, practice, shown); });
      const double gflop = FlopPerUpdate(w) * 1e-9;
      Json line{{"name", name}, {"threads", threads}};
      AddRate(rate, line);
      line["gflop_per_update"] = std::round(gflop * 1e4) / 1e4;
      line["share_of_product_rate"] = Hundredths(rate.best * gflop / (threads * RateFor(is_short, w.config.width)));
      line["share_per_processor_s"] = Hundredths(rate.per_processor_s * gflop / RateFor(is_short, w.config.width));
      Print(line);
      fast_ = is_short ? fast_ : std::max(fast_, rate.best);
    }
  }

  static double Hundredths(double value) { return std::round(value * 100) / 100; }
  static void AddRate(const Rate& rate, Json& line) {
    line["updates_per_s"] = std::round(rate.best * 10) / 10;
    line["median"] = std::round(rate.median * 10) / 10;
    line["updates_per_processor_s"] = std::round(rate.per_processor_s * 10) / 10;
  }

  void MeasureReference(const Workload& w) {
    const std::string name = w.name + "_libtorch";
    if (!Wanted(name)) return;
    torch::set_num_threads(1);
    openblas_set_num_threads(1);
    const learner::Replay practice = Filled(w.sizes, 1), shown = Filled(w.sizes, 2);
    tests::ReferenceSac reference(w.config, w.sizes, 1);
    Json line{{"name", name}, {"threads", 1}};
    AddRate(RateOf(options_.seconds, [&] { reference.Update(Phase::kLearning, practice, shown); }), line);
    Print(line);
  }

  /// At its best setting of threads, and of OpenBLAS's kernels, whose choice knows no processor younger than itself.
  void MeasurePeer(const Workload& w) {
    if (!Wanted(w.name + "_peer")) return;
    Json best;
    for (const char* kernels : {"", "OPENBLAS_CORETYPE=SkylakeX "})
      for (const int blas : {1, 2})
        for (const Json& line : PeerLines(w, fmt::format("{}OPENBLAS_NUM_THREADS={} ", kernels, blas))) {
          if (!best.is_null() && (!line.contains("updates_per_s") || best["updates_per_s"] >= line["updates_per_s"]))
            continue;
          best = line;
          best["environment"] = fmt::format("{}OPENBLAS_NUM_THREADS={}", kernels, blas);
        }
    if (best.contains("updates_per_s"))
      best["fast_fp32_is_faster_by"] = Hundredths(fast_ / best["updates_per_s"].get<double>());
    Json line{{"name", w.name + "_peer"}};
    line.update(best);
    Print(line);
    fast_ = 0;
  }

  std::vector<Json> PeerLines(const Workload& w, const std::string& environment) const {
    const std::string command = fmt::format(
        "{}/usr/bin/python3 {} --state {} --action {} --width {} --batch {} --critics {} --asked {} --actor_every {} "
        "--seconds {}",
        environment, NIGHTSHIFT_PEER, w.sizes.state, w.sizes.action, w.config.width, w.config.batch, w.config.critics,
        w.config.critics_asked, w.config.actor_every, options_.seconds);
    std::vector<Json> lines;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return lines;
    for (char text[512]; std::fgets(text, sizeof text, pipe) != nullptr;) lines.push_back(Json::parse(text));
    pclose(pipe);
    return lines;
  }

  Options options_;
  double rates_[2][2] = {{1, 1}, {1, 1}};  // fp32 and bf16; 256 and 128 wide. GFLOP/s.
  double fast_ = 0;                        // Updates per second of fp32 at its best, of this workload.
};

}  // namespace
}  // namespace nightshift

int main(int argc, char** argv) {
  nightshift::Options options;
  CLI::App app("Measures the learner's speed, beside LibTorch and PyTorch");
  app.add_option("--seconds", options.seconds, "of each measurement")->check(CLI::Range(0.1, 600.0));
  app.add_option("--only", options.only, "figures whose name holds this");
  CLI11_PARSE(app, argc, argv);
  nightshift::Bench(options).Run();
  return 0;
}
