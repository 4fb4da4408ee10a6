/** Decisions: static functions from an image and a command to changes and a reply. */
@NullMarked
package io.fairlead.core.decide;

import org.jspecify.annotations.NullMarked;
