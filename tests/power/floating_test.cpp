// SPDX-License-Identifier: Apache-2.0
//
// Floating-point instructions: status, exceptions and their enables, and that the way through the host's arithmetic
// says the same as the exact one.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "power/ieee/environment.h"
#include "tests/power/floating_machine.h"

namespace pefsim::power {
namespace {

namespace fpscr = ieee::fpscr;

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }
double value_of(std::uint64_t bits) { return std::bit_cast<double>(bits); }
std::uint64_t in_single(double value) { return bits_of(static_cast<float>(value)); }

/// Operands for which rounding is hard: ties, cancellation, few bits, and now and then anything at all.
class operand_source {
public:
    std::uint64_t next() {
        const std::uint64_t sign = random_() << 63;
        const std::uint64_t fraction = random_() >> 12;
        switch (random_() % 8) {
        case 0:
            return sign | (1023 - 60 + random_() % 120) << 52 | fraction;
        case 1:
            return sign | (1023 - 2 + random_() % 4) << 52 | fraction >> 44 << 44;
        case 2:
            return sign | (1023 - 30 + random_() % 60) << 52 | std::uint64_t{1} << random_() % 52;
        case 3:
            return sign | in_single(value_of((1023 - 20 + random_() % 40) << 52 | fraction));
        case 4:
            return sign | bits_of(static_cast<double>(random_() % 1000) / 8);
        case 5:
            return sign | (1023 - 2 + random_() % 4) << 52 | (~std::uint64_t{0} >> 12 ^ random_() % 4);
        case 6:
            return random_();
        default:
            return sign | (880 + random_() % 300) << 52 | (fraction >> 29 << 29) |
                   (random_() % 4 == 0 ? 1U << 28 : 0);
        }
    }
    std::uint64_t raw() { return random_(); }

private:
    std::mt19937_64 random_{42};
};

struct named {
    const char* scalar;
    const char* vector;
    bool single;
};

class arithmetic : public testing::TestWithParam<named> {};

/// With XE the exact way is taken; nothing else may change.
TEST_P(arithmetic, host_and_exact_agree) {
    floating_machine m;
    operand_source source;
    const std::uint32_t word = floating_machine::word(GetParam().scalar, 1, 2, 3);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t t = source.next();
        const std::uint64_t a = i % 16 == 9 ? 0 : source.next();
        // Half of the sums nearly vanish.
        const std::uint64_t b = i % 2 == 0 ? source.next() : (a ^ std::uint64_t{1} << 63) + source.raw() % 8;
        const std::uint64_t third = i % 16 == 5  ? 0
                                    : i % 4 == 3 ? bits_of(-value_of(a) * value_of(b)) + source.raw() % 4
                                                 : t;
        const std::uint64_t status = source.raw() % 2 == 0 ? 0 : fpscr::xx | fpscr::fx;
        const auto run = [&](std::uint64_t with) {
            m.state.vsr[1] = {.low = 1, .high = third};
            m.state.vsr[2].high = a;
            m.state.vsr[3].high = b;
            m.state.fpscr = status | with;
            EXPECT_TRUE(m.execute(word));
            return std::pair(m.state.vsr[1], m.state.fpscr & ~std::uint64_t{fpscr::xe | fpscr::fex});
        };
        const auto host = run(0);
        const auto exact = run(fpscr::xe);
        ASSERT_TRUE(host == exact) << GetParam().scalar << std::hex << " T " << third << " A " << a << " B "
                                   << b << ": " << host.first.high << ' ' << host.second << ", exactly "
                                   << exact.first.high << ' ' << exact.second;
    }
}

/// Every element of a vector is what the scalar instruction gives; XX is set when one of them sets FI.
TEST_P(arithmetic, vector_and_scalar_agree) {
    floating_machine m;
    operand_source source;
    const bool single = GetParam().single;
    const std::uint32_t scalar_word = floating_machine::word(GetParam().scalar, 1, 2, 3);
    const std::uint32_t vector_word = floating_machine::word(GetParam().vector, 4, 5, 6);
    for (int i = 0; i < 10000; ++i) {
        std::array<std::array<std::uint64_t, 4>, 3> elements{};  // T, A, B
        for (auto& each : elements) {
            for (std::uint64_t& element : each) {
                element = single ? bits_of(static_cast<float>(value_of(source.next()))) : source.next();
                element = std::isnan(value_of(element)) ? bits_of(1) : element;
            }
        }
        const auto vector_of = [&](const std::array<std::uint64_t, 4>& from) {
            if (!single) {
                return vector_register{.low = from[0], .high = from[1]};
            }
            std::array<float, 4> floats{};
            for (std::size_t n = 0; n < 4; ++n) {
                floats[n] = static_cast<float>(value_of(from[n]));
            }
            return std::bit_cast<vector_register>(floats);
        };
        std::array<std::uint64_t, 4> expected{};
        std::uint32_t raised = 0;
        for (std::size_t n = 0; n < (single ? 4U : 2U); ++n) {
            m.state.fpscr = 0;
            m.state.vsr[1].high = elements[0][n];
            m.state.vsr[2].high = elements[1][n];
            m.state.vsr[3].high = elements[2][n];
            ASSERT_TRUE(m.execute(scalar_word));
            expected[n] = m.state.vsr[1].high;
            raised |= m.state.fpscr & (fpscr::exceptions | fpscr::fx | fpscr::vx);
        }
        m.state.vsr[4] = vector_of(elements[0]);
        m.state.vsr[5] = vector_of(elements[1]);
        m.state.vsr[6] = vector_of(elements[2]);
        m.state.fpscr = 0;
        ASSERT_TRUE(m.execute(vector_word));
        ASSERT_EQ(m.state.fpscr, raised) << GetParam().vector;
        ASSERT_EQ(m.state.vsr[4], vector_of(expected)) << GetParam().vector;
    }
}

INSTANTIATE_TEST_SUITE_P(
    instructions, arithmetic,
    testing::Values(named{"xsadddp", "xvadddp", false}, named{"xssubdp", "xvsubdp", false},
                    named{"xsmuldp", "xvmuldp", false}, named{"xsdivdp", "xvdivdp", false},
                    named{"xssqrtdp", "xvsqrtdp", false}, named{"xsmaddadp", "xvmaddadp", false},
                    named{"xsmsubmdp", "xvmsubmdp", false}, named{"xsnmaddmdp", "xvnmaddmdp", false},
                    named{"xsnmsubadp", "xvnmsubadp", false}, named{"xsredp", "xvredp", false},
                    named{"xsaddsp", "xvaddsp", true}, named{"xssubsp", "xvsubsp", true},
                    named{"xsmulsp", "xvmulsp", true}, named{"xsdivsp", "xvdivsp", true},
                    named{"xssqrtsp", "xvsqrtsp", true}, named{"xsmaddasp", "xvmaddasp", true},
                    named{"xsmsubmsp", "xvmsubmsp", true}, named{"xsnmaddmsp", "xvnmaddmsp", true},
                    named{"xsnmsubasp", "xvnmsubasp", true}, named{"xsresp", "xvresp", true}),
    [](const testing::TestParamInfo<named>& each) { return std::string(each.param.scalar); });

// --- Double pairs: each doubleword is reversed by itself in little-endian mode, the even register's stands first

TEST(double_pair, stands_in_order) {
    for (const bool little_endian : {true, false}) {
        floating_machine m;
        m.state.msr = little_endian ? m.state.msr | msr_le : m.state.msr & ~msr_le;
        m.cpu.msr_changed();
        const auto word = [&](const char* mnemonic) {
            const std::uint32_t value = floating_machine::word(mnemonic, 6, 4, 5);
            return little_endian ? value : __builtin_bswap32(value);
        };
        m.state.gpr[4] = floating_machine::data;
        m.state.gpr[5] = 16;
        m.state.vsr[6] = {.low = 9, .high = 0x0102'0304'0506'0708};
        m.state.vsr[7] = {.low = 9, .high = 0x1112'1314'1516'1718};
        ASSERT_TRUE(m.execute(word("stfdpx")));
        std::array<std::uint64_t, 2> stored{};
        std::memcpy(stored.data(), m.memory().data() + 16, sizeof stored);
        for (std::uint64_t& each : stored) {
            each = little_endian ? each : __builtin_bswap64(each);
        }
        EXPECT_EQ(stored[0], m.state.vsr[6].high);
        EXPECT_EQ(stored[1], m.state.vsr[7].high);
        const auto before = m.state.vsr;
        m.state.vsr[6] = m.state.vsr[7] = {};
        ASSERT_TRUE(m.execute(word("lfdpx")));
        EXPECT_EQ(m.state.vsr[6].high, before[6].high);
        EXPECT_EQ(m.state.vsr[7].high, before[7].high);
    }
}

// --- Status and exceptions

struct floating_status : testing::Test {
    floating_machine m;

    std::uint64_t binary(const char* mnemonic, double a, double b, std::uint64_t status) {
        m.state.fpscr = status;
        m.state.vsr[1].high = 0x1234;
        m.state.vsr[2].high = bits_of(a);
        m.state.vsr[3].high = bits_of(b);
        completed = m.execute(floating_machine::word(mnemonic, 1, 2, 3));
        return m.state.vsr[1].high;
    }
    bool completed = false;
};

TEST_F(floating_status, fx_is_set_by_a_new_exception_only) {
    binary("fadd", 1, 0x1p-60, 0);
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::xx | fpscr::fi | 4U << fpscr::fprf_shift);
    binary("fadd", 1, 0x1p-60, fpscr::xx);
    EXPECT_EQ(m.state.fpscr, fpscr::xx | fpscr::fi | 4U << fpscr::fprf_shift);
    binary("fadd", -1, -0x1.8p-53, 0);
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::xx | fpscr::fi | fpscr::fr | 8U << fpscr::fprf_shift);
}

TEST_F(floating_status, enabled_invalid_and_zero_divide_keep_the_target) {
    const double infinite = INFINITY;
    EXPECT_EQ(binary("fsub", infinite, infinite, fpscr::ve | 4U << fpscr::fprf_shift), 0x1234U);
    EXPECT_EQ(m.state.fpscr,
              fpscr::fx | fpscr::fex | fpscr::vx | fpscr::vxisi | fpscr::ve | 4U << fpscr::fprf_shift);
    EXPECT_TRUE(completed);  // MSR[FE0 FE1] = 0
    EXPECT_EQ(binary("fsub", infinite, infinite, 0), 0x7ff8'0000'0000'0000U);
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::vx | fpscr::vxisi | 17U << fpscr::fprf_shift);
    EXPECT_EQ(binary("fdiv", 1, 0, fpscr::ze), 0x1234U);
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::fex | fpscr::zx | fpscr::ze);
    EXPECT_EQ(binary("xvdivdp", 1, 0, fpscr::ze), 0x1234U);
}

TEST_F(floating_status, enabled_overflow_and_underflow_scale_the_exponent) {
    EXPECT_EQ(value_of(binary("fmul", 0, 0, 0)), 0);
    m.state.fpscr = fpscr::oe;
    m.state.vsr[2].high = bits_of(0x1p1000);
    m.state.vsr[3].high = bits_of(0x1.8p1000);
    ASSERT_TRUE(m.execute(floating_machine::word("xsmuldp", 1, 2, 3)));
    EXPECT_EQ(value_of(m.state.vsr[1].high), 0x1.8p464);  // 2000 - 1536
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::fex | fpscr::ox | fpscr::oe | 4U << fpscr::fprf_shift);
    m.state.fpscr = fpscr::ue;
    m.state.vsr[2].high = bits_of(0x1p-100);
    m.state.vsr[3].high = bits_of(0x1p-100);
    ASSERT_TRUE(m.execute(floating_machine::word("xsmulsp", 1, 2, 3)));
    EXPECT_EQ(value_of(m.state.vsr[1].high), 0x1p-8);  // -200 + 192
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::fex | fpscr::ux | fpscr::ue | 4U << fpscr::fprf_shift);
}

TEST_F(floating_status, an_enabled_exception_interrupts_when_msr_says_so) {
    m.state.msr |= msr_fe0;
    binary("fadd", 1, 0x1p-60, fpscr::xe);
    EXPECT_FALSE(completed);
    EXPECT_EQ(m.cpu.interrupt().which, vector::program);
    EXPECT_EQ(m.cpu.interrupt().srr1, program::enabled_fp);
    EXPECT_EQ(value_of(m.state.vsr[1].high), 1);  // the target has its result
    binary("fadd", 1, 1, fpscr::xe);
    EXPECT_TRUE(completed);
}

TEST_F(floating_status, a_facility_that_is_off_interrupts) {
    m.state.msr &= ~(msr_fp | msr_vsx | msr_vec);
    binary("fadd", 1, 1, 0);
    EXPECT_FALSE(completed);
    EXPECT_EQ(m.cpu.interrupt().which, vector::fp_unavailable);
    binary("xvadddp", 1, 1, 0);
    EXPECT_EQ(m.cpu.interrupt().which, vector::vsx_unavailable);
    binary("vaddfp", 1, 1, 0);
    EXPECT_EQ(m.cpu.interrupt().which, vector::vector_unavailable);
    EXPECT_EQ(m.state.vsr[1].high, 0x1234U);
}

TEST_F(floating_status, summaries_follow_the_bits) {
    m.state.fpscr = 0;
    m.state.vsr[3].high = fpscr::vxsnan | fpscr::ve | fpscr::vx | fpscr::reserved;
    ASSERT_TRUE(m.execute(floating_machine::word("mtfsf", 0, 0, 3) | 1U << 25));  // L=1: all of it
    EXPECT_EQ(m.state.fpscr, fpscr::vxsnan | fpscr::vx | fpscr::fex | fpscr::ve);
    ASSERT_TRUE(m.execute(floating_machine::word("mcrfs", 1, 1, 0)));
    EXPECT_EQ(m.state.cr.field[0], 0);
    ASSERT_TRUE(m.execute(floating_machine::word("mtfsb0", 7, 0, 0)));  // VXSNAN
    EXPECT_EQ(m.state.fpscr, fpscr::ve);
    ASSERT_TRUE(m.execute(floating_machine::word("mtfsb1", 5, 0, 0)));  // ZX
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::zx | fpscr::ve);
    ASSERT_TRUE(m.execute(floating_machine::word("mffsce", 1, 0, 0)));
    EXPECT_EQ(m.state.vsr[1].high, fpscr::fx | fpscr::zx | fpscr::ve);
    EXPECT_EQ(m.state.fpscr, fpscr::fx | fpscr::zx);
}

TEST_F(floating_status, estimates_have_14_bits) {
    operand_source source;
    for (int i = 0; i < 20000; ++i) {
        const double b = std::abs(value_of(source.next()));
        if (!std::isnormal(b) || b > 0x1p1000 || b < 0x1p-1000) {
            continue;
        }
        const double root = value_of(binary("frsqrte", 0, b, 0));
        EXPECT_NEAR(root * std::sqrt(b), 1, 0x1p-14);
        const double inverse = value_of(binary("fre", 0, b, 0));
        EXPECT_NEAR(inverse * b, 1, 0x1p-14);
    }
}

TEST_F(floating_status, exponent_and_logarithm_estimates) {
    for (float x = -126; x < 127; x += 0.37F) {
        m.state.vsr[35] = std::bit_cast<vector_register>(std::array<float, 4>{x, x, x, x});
        ASSERT_TRUE(m.execute(floating_machine::word("vexptefp", 1, 0, 3)));
        const float power = std::bit_cast<std::array<float, 4>>(m.state.vsr[33])[0];
        EXPECT_NEAR(power / std::exp2(double{x}), 1, 1.0 / 16);
        m.state.vsr[35] = m.state.vsr[33];
        ASSERT_TRUE(m.execute(floating_machine::word("vlogefp", 1, 0, 3)));
        EXPECT_NEAR((std::bit_cast<std::array<float, 4>>(m.state.vsr[33])[0]), x, 1.0 / 32);
    }
    // Integral powers are exact.
    m.state.vsr[35] = std::bit_cast<vector_register>(std::array<float, 4>{-140, 0, 3, 127});
    ASSERT_TRUE(m.execute(floating_machine::word("vexptefp", 1, 0, 3)));
    EXPECT_EQ((std::bit_cast<std::array<float, 4>>(m.state.vsr[33])),
              (std::array<float, 4>{0x1p-140F, 1, 8, 0x1p127F}));
}

}  // namespace
}  // namespace pefsim::power
