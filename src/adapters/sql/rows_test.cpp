#include <string>

#include "adapters/sql/described_members.h"

namespace quire::adapters::sql {
namespace {

struct Parcel {
  std::string id;
  std::string sender;
  int weight = 0;
};

// What catalog_rows.cpp asserts for every table.
static_assert(holds_every_member<Parcel>(table("parcels", key("id", &Parcel::id), column("sender", &Parcel::sender),
                                               column("weight", &Parcel::weight))));
static_assert(!holds_every_member<Parcel>(table("parcels", key("id", &Parcel::id), column("sender", &Parcel::sender),
                                                derived("folded_sender", Folded<&Parcel::sender>()))),
              "a member without a column is noticed");

}  // namespace
}  // namespace quire::adapters::sql
