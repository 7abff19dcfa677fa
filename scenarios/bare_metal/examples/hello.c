/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints, and gives back what was typed (bare_metal --console-input FILE).
 */
#include "pefsim.h"

int main(u64 cpu) {
    print("Hello from CPU ");
    print_number(cpu);
    print("\n");
    u64 typed = 0;
    for (int character = get_char(); character >= 0; character = get_char()) {
        const char text[2] = {(char)character, 0};
        print(text);
        ++typed;
    }
    if (typed) {
        print_number(typed);
        print(" characters were typed\n");
    }
    return 0;
}
