#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace quire::test_support {

/// The forms of tar headers that OVAs come in.
enum class TarForm { ustar, pax, gnu };

/// Writes tar archives for tests, honest ones and others: every header can be bent through its fields.
class TarWriter {
 public:
  static constexpr std::size_t block_bytes = 512;

  /// The fields of one header block.
  struct Header {
    std::string name;
    std::uint64_t size = 0;
    char type = '0';
    TarForm form = TarForm::ustar;
    std::string prefix = {};      ///< ustar and pax only
    std::string size_field = {};  ///< instead of `size` in octal; at most 12 bytes
    std::string sum_field = {};   ///< instead of the right sum
    std::string link_name = {};
  };

  explicit TarWriter(TarForm form = TarForm::ustar) : form_(form) {}

  /// A plain file, with whatever headers its name and size need in this writer's form.
  TarWriter& file(const std::string& name, std::string_view content) {
    announce(name, content.size());
    return padded(content);
  }

  /// The headers of a plain file alone; its content and padding are for the caller to add.
  TarWriter& announce(const std::string& name, std::uint64_t size) {
    Header plain;
    plain.name = name.substr(0, 100);
    plain.size = size;
    plain.form = form_;
    if (size > max_octal_size) plain.size_field = form_ == TarForm::pax ? std::string(11, '0') : base256(size);
    if (form_ == TarForm::gnu && name.size() > 100) gnu_long_name(name);
    if (form_ == TarForm::pax) {
      auto records = name.size() > 100 ? pax_record("path", name) : std::string{};
      if (size > max_octal_size) records += pax_record("size", std::to_string(size));
      if (!records.empty()) pax_header(records);
    }
    if (form_ == TarForm::ustar && name.size() > 100) {
      const auto slash = name.rfind('/', 155);
      plain.prefix = name.substr(0, slash);
      plain.name = name.substr(slash + 1);
    }
    return header(plain);
  }

  TarWriter& header(const Header& fields) {
    std::string block(block_bytes, '\0');
    put(block, 0, fields.name.substr(0, 100));
    put(block, 100, "0000644");
    put(block, 108, "0000000");
    put(block, 116, "0000000");
    put(block, 124, fields.size_field.empty() ? octal(fields.size, 11) : fields.size_field);
    put(block, 136, "00000000000");
    put(block, 148, "        ");
    block[156] = fields.type;
    put(block, 157, fields.link_name.substr(0, 100));
    put(block, 257,
        fields.form == TarForm::gnu ? std::string_view("ustar  \0", 8) : std::string_view("ustar\00000", 8));
    if (fields.form != TarForm::gnu) put(block, 345, fields.prefix.substr(0, 155));
    put(block, 148, fields.sum_field.empty() ? octal(sum_of(block), 6) + std::string("\0 ", 2) : fields.sum_field);
    bytes_ += block;
    return *this;
  }

  TarWriter& gnu_long_name(const std::string& name) {
    Header fields;
    fields.name = "././@LongLink";
    fields.size = name.size() + 1;
    fields.type = 'L';
    fields.form = TarForm::gnu;
    return header(fields).padded(name + std::string(1, '\0'));
  }

  TarWriter& pax_header(std::string_view records, char type = 'x') {
    Header fields;
    fields.name = "PaxHeaders/member";
    fields.size = records.size();
    fields.type = type;
    fields.form = TarForm::pax;
    return header(fields).padded(records);
  }

  TarWriter& padded(std::string_view content) {
    bytes_ += content;
    bytes_.resize((bytes_.size() + block_bytes - 1) / block_bytes * block_bytes, '\0');
    return *this;
  }

  TarWriter& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  TarWriter& zero_blocks(std::size_t count) { return raw(std::string(count * block_bytes, '\0')); }

  /// The archive so far, and its two end blocks.
  std::string whole() const { return bytes_ + std::string(2 * block_bytes, '\0'); }
  /// The archive so far.
  const std::string& bytes() const { return bytes_; }

  static std::string pax_record(std::string_view key, std::string_view value) {
    const auto body = " " + std::string(key) + "=" + std::string(value) + "\n";
    auto length = body.size() + 1;
    while (std::to_string(length).size() + body.size() != length) ++length;
    return std::to_string(length) + body;
  }

  static std::string base256(std::uint64_t value) {
    std::string field(12, '\0');
    for (std::size_t i = 12; i-- > 4; value >>= 8U) field[i] = static_cast<char>(value & 0xFFU);
    field[0] = '\x80';
    return field;
  }

 private:
  static constexpr std::uint64_t max_octal_size = 077777777777;

  static void put(std::string& block, std::size_t at, std::string_view text) { block.replace(at, text.size(), text); }

  static std::string octal(std::uint64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return text;
  }

  static std::uint64_t sum_of(const std::string& block) {
    std::uint64_t sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    return sum;
  }

  TarForm form_;
  std::string bytes_;
};

}  // namespace quire::test_support
