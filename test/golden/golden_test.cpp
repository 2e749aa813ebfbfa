#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <iterator>
#include <set>
#include <utility>

#include "golden/library_scenario.h"
#include "golden/soap_scenario.h"
#include "golden/subscribed_library_scenario.h"
#include "golden/subscription_scenario.h"
#include "golden/transport_scenarios.h"

/// Transcripts of every operation on every wire, compared with those that were reviewed against the contract. A change
/// of a wire shows here as a difference: run with QUIRE_UPDATE_GOLDEN=1 to write the files anew, and review them.
namespace quire::golden {
namespace {

namespace json = boost::json;

struct Recording {
  std::string transcript;
  std::vector<Outcome> outcomes;  ///< of the scenario that all bindings share
  std::vector<Outcome> older;     ///< of what new REST does not have
  std::vector<Outcome> own;       ///< of what only this server has
  std::vector<Outcome> subscribed;
};

Recording record(Binding binding) {
  GoldenServer server;
  Transcript transcript;
  Client client(binding, server, transcript);
  walk_through_the_api(client);
  Recording recording;
  std::ptrdiff_t seen = 0;
  const auto further = [&] {
    const auto first = client.outcomes().begin() + std::exchange(seen, std::ssize(client.outcomes()));
    return std::vector<Outcome>(first, client.outcomes().end());
  };
  recording.outcomes = further();
  walk_through_our_own(client);
  recording.own = further();
  walk_through_subscribed_libraries(client);
  walk_through_subscriptions(client);
  recording.subscribed = further();
  if (binding != Binding::new_rest) {
    walk_through_the_older_bindings(client);
    recording.older = further();
  }
  switch (binding) {
    case Binding::legacy_rest:
      legacy_rest_transport(client);
      break;
    case Binding::new_rest:
      new_rest_transport(client);
      break;
    case Binding::json_rpc:
      json_rpc_transport(client);
      break;
  }
  recording.transcript = transcript.text();
  return recording;
}

const Recording& recording_of(Binding binding) {
  static const Recording legacy = record(Binding::legacy_rest);
  static const Recording current = record(Binding::new_rest);
  static const Recording rpc = record(Binding::json_rpc);
  return binding == Binding::legacy_rest ? legacy : binding == Binding::new_rest ? current : rpc;
}

constexpr Binding all_bindings[] = {Binding::legacy_rest, Binding::new_rest, Binding::json_rpc};

TEST(GoldenTranscripts, LegacyRest) { expect_golden("legacy_rest.txt", recording_of(Binding::legacy_rest).transcript); }

TEST(GoldenTranscripts, NewRest) { expect_golden("new_rest.txt", recording_of(Binding::new_rest).transcript); }

TEST(GoldenTranscripts, JsonRpc) { expect_golden("json_rpc.txt", recording_of(Binding::json_rpc).transcript); }

TEST(GoldenTranscripts, Soap) {
  GoldenServer server;
  Transcript transcript;
  walk_through_soap(server, transcript);
  expect_golden("soap.txt", transcript.text());
}

/// What needs a hypervisor succeeds never, and says so.
bool is_unsupported_by_all(const api::Operation& operation) {
  for (const auto* needs_hypervisor :
       {"com.vmware.vcenter.ovf.", "com.vmware.vcenter.vm_template.", "com.vmware.vcenter.iso."})
    if (operation.facts.service.starts_with(needs_hypervisor)) return operation.facts.name != "filter";
  return false;
}

TEST(GoldenTranscripts, HoldASuccessOfEveryOperation) {
  for (const auto binding : all_bindings) {
    std::set<std::string> succeeded;
    std::set<std::string> unsupported;
    for (const auto* outcomes : {&recording_of(binding).outcomes, &recording_of(binding).older,
                                 &recording_of(binding).own, &recording_of(binding).subscribed})
      for (const auto& outcome : *outcomes)
        if (outcome.error_type.empty())
          succeeded.insert(outcome.operation);
        else if (outcome.error_type == "UNSUPPORTED")
          unsupported.insert(outcome.operation);
    for (const auto& operation : api::all_operations())
      EXPECT_TRUE((is_unsupported_by_all(operation) ? unsupported : succeeded).contains(short_name(operation)) ||
                  (binding == Binding::new_rest && !operation.facts.in_new_rest))
          << operation.facts.service << "." << operation.facts.name << " is missing in the scenarios";
  }
}

bool is_empty(const json::value& value) {
  return (value.is_object() && value.get_object().empty()) || (value.is_array() && value.get_array().empty());
}

/// Without what bindings do not share: only JSON-RPC gives its calls an identifier here, which the audit trail shows,
/// and two of them write an empty map as they write an empty list.
json::value comparable(json::value value) {
  if (auto* list = value.if_array())
    for (auto& one : *list) one = comparable(one);
  if (auto* object = value.if_object()) {
    object->erase("operation_id");
    for (auto& member : *object) member.value() = comparable(member.value());
  }
  return is_empty(value) ? json::array() : value;
}

void expect_same(const std::vector<Outcome>& outcomes, const std::vector<Outcome>& reference) {
  ASSERT_EQ(outcomes.size(), reference.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].operation, reference[i].operation);
    EXPECT_EQ(outcomes[i].error_type, reference[i].error_type) << outcomes[i].operation << ", call " << i + 1;
    const auto result = comparable(outcomes[i].result);
    const auto expected = comparable(reference[i].result);
    EXPECT_TRUE(result == expected) << outcomes[i].operation << ", call " << i + 1 << "\n"
                                    << json::serialize(result) << "\n"
                                    << json::serialize(expected);
  }
}

TEST(GoldenTranscripts, TellTheSameInEveryBinding) {
  const auto& legacy = recording_of(Binding::legacy_rest);
  expect_same(recording_of(Binding::new_rest).outcomes, legacy.outcomes);
  expect_same(recording_of(Binding::json_rpc).outcomes, legacy.outcomes);
  expect_same(recording_of(Binding::json_rpc).older, legacy.older);
  expect_same(recording_of(Binding::new_rest).own, legacy.own);
  expect_same(recording_of(Binding::json_rpc).own, legacy.own);
  expect_same(recording_of(Binding::new_rest).subscribed, legacy.subscribed);
  expect_same(recording_of(Binding::json_rpc).subscribed, legacy.subscribed);
}

TEST(GoldenTranscripts, AreTheSameEveryTime) {
  EXPECT_EQ(record(Binding::new_rest).transcript, recording_of(Binding::new_rest).transcript);
}

}  // namespace
}  // namespace quire::golden
