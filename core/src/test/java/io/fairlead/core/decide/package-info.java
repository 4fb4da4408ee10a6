/** Tests of the deciders, and what other modules' tests build drafts with. */
@NullMarked
package io.fairlead.core.decide;

import org.jspecify.annotations.NullMarked;
