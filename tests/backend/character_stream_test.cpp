// SPDX-License-Identifier: Apache-2.0
//
// Character streams: in memory, and a file.
#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "backend/file_stream.h"
#include "backend/memory_stream.h"

namespace pefsim::backend {

namespace {

namespace fs = std::filesystem;

struct counting_device final : character_device_if {
    void input_ready() override { ++inputs; }
    void connection_changed() override { ++changes; }
    unsigned inputs = 0;
    unsigned changes = 0;
};

std::string read(character_stream_if& stream, std::size_t size) {
    std::string text(size, '\0');
    text.resize(stream.read(std::as_writable_bytes(std::span{text})));
    return text;
}

void write(character_stream_if& stream, std::string_view text) {
    stream.write(std::as_bytes(std::span{text}));
}

TEST(memory_stream, gives_what_it_was_fed_and_tells_its_device) {
    memory_stream stream;
    counting_device device;
    stream.attach(device);
    EXPECT_FALSE(stream.has_input());
    EXPECT_EQ(read(stream, 4), "");
    stream.feed("");
    EXPECT_EQ(device.inputs, 0U);
    stream.feed("abc");
    stream.feed("def");
    EXPECT_EQ(device.inputs, 2U);
    EXPECT_EQ(read(stream, 4), "abcd");
    EXPECT_TRUE(stream.has_input());
    EXPECT_EQ(read(stream, 4), "ef");
    EXPECT_FALSE(stream.has_input());
    write(stream, "one");
    write(stream, "two");
    EXPECT_EQ(stream.output(), "onetwo");
    stream.connect(true);
    EXPECT_EQ(device.changes, 0U);
    stream.connect(false);
    EXPECT_EQ(device.changes, 1U);
    EXPECT_FALSE(stream.connected());
}

TEST(file_stream, its_output_takes_its_place_when_all_is_written) {
    const fs::path file = fs::temp_directory_path() / ("pefsim-stream-" + std::to_string(getpid()));
    {
        file_stream stream(file, "typed before");
        write(stream, "line\n");
        EXPECT_FALSE(fs::exists(file));
        EXPECT_EQ(read(stream, 5), "typed");
        EXPECT_EQ(read(stream, 50), " before");
        EXPECT_FALSE(stream.has_input());
        stream.commit();
        EXPECT_EQ(fs::file_size(file), 5U);
        stream.commit();
        write(stream, "goes nowhere");
    }
    std::ifstream content(file);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(content), {}), "line\n");
    fs::remove(file);
}

TEST(file_stream, without_a_file_output_goes_nowhere) {
    file_stream stream({}, "in");
    write(stream, "out");
    EXPECT_EQ(read(stream, 9), "in");
    EXPECT_NO_THROW(stream.commit());
}

TEST(file_stream, a_place_that_cannot_be_written_is_refused) {
    EXPECT_THROW(file_stream("/nowhere/at/all"), std::invalid_argument);
}

}  // namespace

}  // namespace pefsim::backend
