/**
 * What the kernel is to hold, as values: the fixed program, the elements, and the steps from one
 * state to another. Pure.
 */
@NullMarked
package io.fairlead.agent.ruleset;

import org.jspecify.annotations.NullMarked;
