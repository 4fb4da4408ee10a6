/** Streams that tell callers what changes in the image. */
@NullMarked
package io.fairlead.decider.watch;

import org.jspecify.annotations.NullMarked;
