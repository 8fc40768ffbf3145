// SPDX-License-Identifier: Apache-2.0
#include "io/link/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

namespace nightshift::io {
namespace {

namespace fs = std::filesystem;
using core::FaultCode;
using testing::HasSubstr;

constexpr Wait kLong{3000};  // Bounds a test that fails; nothing waits so long.
constexpr Wait kShort{50};

class LinkTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("link-" + std::to_string(getpid()));
    fs::create_directories(folder_);
    endpoint_ = "ipc://" + (folder_ / "socket").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  Requester Asker() { return std::move(*Requester::Connect(endpoint_)); }
  Replier Answerer() { return std::move(*Replier::Bind(endpoint_)); }

  fs::path folder_;
  std::string endpoint_;
};

/// A peer that does not speak as it should.
class RawDealer {
 public:
  explicit RawDealer(const std::string& endpoint) : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_DEALER)) {
    const int none = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    zmq_connect(socket_, endpoint.c_str());
  }
  ~RawDealer() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  void Send(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i)
      zmq_send(socket_, frames[i].data(), frames[i].size(), i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
  }

 private:
  void* context_;
  void* socket_;
};

/// Tells a subscriber something only when it has asked for the second time.
class HalfDeafPublisher {
 public:
  explicit HalfDeafPublisher(const std::string& endpoint)
      : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_XPUB)) {
    const int none = 0, every = 1, wait_ms = static_cast<int>(2 * kLong.count());
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket_, ZMQ_XPUB_VERBOSE, &every, sizeof every);
    zmq_setsockopt(socket_, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_bind(socket_, endpoint.c_str());
    thread_ = std::thread([this] {
      char request[8];
      for (int asked = 0; asked < 2; ++asked)
        if (zmq_recv(socket_, request, sizeof request, 0) < 0) return;
      zmq_send(socket_, "hello", 5, 0);
    });
  }
  ~HalfDeafPublisher() {
    zmq_ctx_shutdown(context_);
    thread_.join();
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }

 private:
  void* context_;
  void* socket_;
  std::thread thread_;
};

TEST_F(LinkTest, ARequestIsAnswered) {
  Replier replier = Answerer();
  Requester requester = Asker();
  const auto id = requester.Send("question");
  ASSERT_TRUE(id) << id.error().detail;
  const auto request = replier.Receive(kLong);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, "question");
  replier.Reply(*request, "answer");
  const auto answer = requester.Receive(*id, kLong);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(*answer, "answer");
}

TEST_F(LinkTest, ARequestToNobodyTimesOutAndNamesTheEndpoint) {
  Requester requester = Asker();
  const auto answer = requester.Call("anyone?", kShort);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, FaultCode::kPeerTimeout);
  EXPECT_THAT(answer.error().detail, HasSubstr(endpoint_));
}

TEST_F(LinkTest, AnAnswerThatComesTooLateIsNotTakenForTheNextOne) {
  Replier replier = Answerer();
  Requester requester = Asker();
  ASSERT_TRUE(requester.Send("first"));
  const auto first = replier.Receive(kLong);
  ASSERT_TRUE(first);
  const auto second_id = requester.Send("second");
  replier.Reply(*first, "late answer to first");
  const auto second = replier.Receive(kLong);
  ASSERT_TRUE(second);
  replier.Reply(*second, "answer to second");
  EXPECT_EQ(*requester.Receive(*second_id, kLong), "answer to second");
}

TEST_F(LinkTest, GoesOnWhenThePeerIsReplaced) {
  Requester requester = Asker();
  for (int life = 0; life < 3; ++life) {
    Replier replier = Answerer();
    std::atomic<bool> answered{false};
    std::thread peer([&] {
      while (!answered)
        if (const auto request = replier.Receive(kShort)) replier.Reply(*request, "alive");
    });
    // What is asked before the death of the old peer shows is lost; asking again is all it takes.
    core::Result<std::string> answer;
    for (int attempt = 0; attempt < 20 && (attempt == 0 || !answer); ++attempt)
      answer = requester.Call("hello", Wait(200));
    answered = true;
    peer.join();
    ASSERT_TRUE(answer) << "life " << life << ": " << answer.error().detail;
  }
}

TEST_F(LinkTest, NothingAskedOfADeadPeerReachesItsSuccessor) {
  Requester requester = Asker();
  {
    Replier first = Answerer();
    ASSERT_TRUE(requester.Send("to the first"));
    ASSERT_TRUE(first.Receive(kLong));
  }
  while (requester.Send("to nobody", Wait(1))) {}
  Replier second = Answerer();
  EXPECT_FALSE(second.Receive(kShort));
}

TEST_F(LinkTest, MalformedRequestsAreCountedAndDropped) {
  Replier replier = Answerer();
  RawDealer stranger(endpoint_);
  const std::string id(8, '\0');
  stranger.Send({"no id"});
  stranger.Send({"short", "body"});
  stranger.Send({id, "body", "surplus"});
  stranger.Send({id, std::string(kMessageBytesMax + 1, 'x')});
  stranger.Send({id, "good"});
  const auto request = replier.Receive(kLong);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, "good");
  EXPECT_EQ(replier.malformed(), 4u);
}

TEST_F(LinkTest, ARequestThatIsTooLargeIsNotEvenSent) {
  Replier replier = Answerer();
  Requester requester = Asker();
  const auto sent = requester.Send(std::string(kMessageBytesMax + 1, 'x'));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, FaultCode::kMalformedMessage);
}

TEST_F(LinkTest, QuickRequestsInARowAreAllAnswered) {
  Replier replier = Answerer();
  Requester requester = Asker();
  std::atomic<bool> over{false};
  std::thread peer([&] {
    while (!over)
      while (const auto request = replier.Receive(Wait(1))) replier.Reply(*request, request->body);
  });
  int answered = 0;
  for (int i = 0; i < 3000; ++i) answered += requester.Call("x", kLong) ? 1 : 0;
  over = true;
  peer.join();
  EXPECT_EQ(answered, 3000);
  EXPECT_EQ(replier.undelivered(), 0u);
}

TEST_F(LinkTest, AReplyToAPeerThatLeftIsCounted) {
  Replier replier = Answerer();
  replier.Reply({"nobody", 1, ""}, "lost");
  EXPECT_EQ(replier.undelivered(), 1u);
}

TEST_F(LinkTest, ASecondOwnerOfAnEndpointIsRefused) {
  Replier first = Answerer();
  const auto second = Replier::Bind(endpoint_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, FaultCode::kAlreadyRunning);
  const auto publisher = Publisher::Bind(endpoint_);
  ASSERT_FALSE(publisher);
  EXPECT_EQ(publisher.error().code, FaultCode::kAlreadyRunning);
}

TEST_F(LinkTest, AnEndpointInAMissingFolderIsAnIoFault) {
  const auto replier = Replier::Bind("ipc:///nonexistent/folder/socket");
  ASSERT_FALSE(replier);
  EXPECT_EQ(replier.error().code, FaultCode::kIoFailed);
}

TEST_F(LinkTest, TheSocketIsForOwnerAndGroupOnly) {
  Replier replier = Answerer();
  struct stat status {};
  ASSERT_EQ(stat((folder_ / "socket").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

/// Tells it again and again: a subscription takes its time, and what crosses a look comes with the next. How many
/// messages the subscriber heard until it heard this one; nothing where it never did.
std::optional<int> HeardUntil(const std::string& what, Publisher& publisher, Subscriber& subscriber) {
  constexpr int kTellingsMax = 5000;
  int count = 0;
  for (int i = 0; i < kTellingsMax; ++i) {
    publisher.Publish(what);
    const auto heard = subscriber.Latest(Wait(1));
    count += heard ? 1 : 0;
    if (heard == what) return count;
  }
  return std::nullopt;
}

TEST_F(LinkTest, ASubscriberHearsTheNewestOnly) {
  auto publisher = Publisher::Bind(endpoint_);
  auto subscriber = Subscriber::Connect(endpoint_);
  ASSERT_TRUE(publisher && subscriber);
  ASSERT_TRUE(HeardUntil("hello", *publisher, *subscriber));
  for (int i = 0; i < 1000; ++i) publisher->Publish(std::to_string(i));
  const auto heard = HeardUntil("newest", *publisher, *subscriber);
  ASSERT_TRUE(heard);
  EXPECT_LE(*heard, 3) << "stale ones must be dropped";
}

TEST_F(LinkTest, EachOfManySubscribersIsTold) {
  for (int i = 0; i < 1000; ++i) {  // Now and then one was not, when each asked only once.
    auto publisher = Publisher::Bind(endpoint_);
    auto subscriber = Subscriber::Connect(endpoint_);
    ASSERT_TRUE(publisher && subscriber);
    ASSERT_TRUE(HeardUntil("hello", *publisher, *subscriber)) << "subscriber " << i;
  }
}

TEST_F(LinkTest, OneLongLookAsksAgainAndHearsAPublisherThatMissedTheFirstRequest) {
  HalfDeafPublisher publisher(endpoint_);
  auto subscriber = Subscriber::Connect(endpoint_);
  ASSERT_TRUE(subscriber);
  EXPECT_EQ(subscriber->Latest(kLong), "hello");
}

TEST_F(LinkTest, ASubscriberWithoutAPublisherHearsNothing) {
  auto subscriber = Subscriber::Connect(endpoint_);
  ASSERT_TRUE(subscriber);
  EXPECT_FALSE(subscriber->Latest(kShort));
}

TEST(Endpoints, LieInTheRunDirectory) {
  const auto endpoints = EndpointsIn("/run/nightshift");
  ASSERT_TRUE(endpoints);
  EXPECT_EQ(endpoints->safety_command, "ipc:///run/nightshift/safety-command.sock");
}

TEST(Endpoints, RefuseAPathThatTheKernelCannotTakeAndSayHowLongItMayBe) {
  EXPECT_TRUE(EndpointsIn(std::string(83, 'x')));
  const auto endpoints = EndpointsIn(std::string(84, 'x'));
  ASSERT_FALSE(endpoints);
  EXPECT_EQ(endpoints.error().code, FaultCode::kInvalidConfig);
  EXPECT_THAT(endpoints.error().detail, HasSubstr("at most 83"));
}

}  // namespace
}  // namespace nightshift::io
