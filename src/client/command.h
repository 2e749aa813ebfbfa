#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The commands of the program, each declared once: the parser, the manual and the completion are readings of these.
namespace quire::client {

/// What a word may be, for completion.
enum class Completes { nothing, file, library, item, choice };

struct OptionDefinition {
  std::string name;         ///< `json` is `--json`
  std::string placeholder;  ///< empty: a flag without a value
  std::string description;
  bool repeated = false;
  std::vector<std::string> choices = {};
  Completes completes = Completes::nothing;
  char letter = 0;  ///< `q` is `-q` too
};

struct PositionalDefinition {
  std::string name;  ///< in capitals, as the manual shows it
  std::string description;
  bool required = true;
  bool repeated = false;
  Completes completes = Completes::nothing;
  std::vector<std::string> choices = {};
};

/// What was given on the command line, by the names of the definitions.
class Arguments {
 public:
  void set(const std::string& name, std::vector<std::string> values) { values_[name] = std::move(values); }

  bool has(std::string_view name) const;
  /// The last value; `otherwise` when there is none.
  std::string text(std::string_view name, std::string_view otherwise = "") const;
  std::optional<std::string> find(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

struct CommandDefinition {
  std::vector<std::string> path;  ///< `{"users", "create"}` is `quire users create`
  std::string summary;            ///< a line
  std::string description;        ///< paragraphs for the manual, parted by empty lines
  std::vector<PositionalDefinition> positionals = {};
  std::vector<OptionDefinition> options = {};
  std::function<int(const Arguments&)> run = {};  ///< gives the exit code; none: the command is a group of others
  bool hidden = false;

  /// The words of the path with blanks between.
  std::string words() const;
};

}  // namespace quire::client
