#pragma once
// Models known by the SHA-256 of their file: what they are called here, under what licence, who
// republished them. A file that is not in it can be imported all the same; it then keeps the name
// and licence that its header states.

#include <span>
#include <string_view>

namespace fh::models {

struct CatalogueEntry {
  std::string_view sha256;
  std::string_view id;
  std::string_view display_name;
  std::string_view maker;
  std::string_view licence;
  std::string_view republisher;  // package and version the file came from
  bool starter = false;          // gets the alias `default` when there is no other model
};

std::span<const CatalogueEntry> catalogue();
const CatalogueEntry* find_in_catalogue(std::string_view sha256);

}  // namespace fh::models
