// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/ears.h"

#include <gtest/gtest.h>

#include <filesystem>

#include <unistd.h>

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::milliseconds kLook{60};
constexpr int kLooksMax = 100;  // Of 60 ms: subscribers need a moment to be connected.

io::Endpoints FreshEndpoints() {
  const std::string folder = "/tmp/ns-ears-" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  return io::EndpointsIn(folder).value();
}

TEST(Ears, HearEveryProcessThatSpeaksAndNobodyElse) {
  const io::Endpoints endpoints = FreshEndpoints();
  auto supervisor = io::Publisher::Bind(endpoints.supervisor_state);
  auto safety = io::Publisher::Bind(endpoints.safety_state);
  auto ears = Ears::Connect(endpoints);
  ASSERT_TRUE(supervisor && safety && ears);
  wire::SupervisorStatus practising;
  practising.set_episodes(3);
  wire::SafetyStatus moving;
  moving.set_state("moving");
  for (int i = 0; i < kLooksMax && !(ears->heard().supervisor && ears->heard().safety); ++i) {
    supervisor->Publish(practising.SerializeAsString());
    safety->Publish(moving.SerializeAsString());
    ears->Listen(kLook);
  }
  ASSERT_TRUE(ears->heard().supervisor);
  EXPECT_EQ(ears->heard().supervisor->episodes(), 3u);
  ASSERT_TRUE(ears->heard().safety);
  EXPECT_EQ(ears->heard().safety->state(), "moving");
  EXPECT_FALSE(ears->heard().learner);
}

TEST(Ears, WhatIsNoStatusIsNotHeard) {
  const io::Endpoints endpoints = FreshEndpoints();
  auto learner = io::Publisher::Bind(endpoints.learner_state);
  auto safety = io::Publisher::Bind(endpoints.safety_state);
  auto ears = Ears::Connect(endpoints);
  ASSERT_TRUE(learner && safety && ears);
  wire::SafetyStatus moving;
  moving.set_state("moving");
  for (int i = 0; i < kLooksMax && !ears->heard().safety; ++i) {
    learner->Publish("\xff\xff\xff not a message");
    safety->Publish(moving.SerializeAsString());
    ears->Listen(kLook);
  }
  EXPECT_TRUE(ears->heard().safety);
  EXPECT_FALSE(ears->heard().learner);
}

}  // namespace
}  // namespace nightshift::runtime::cli
