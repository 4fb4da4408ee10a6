/** What the log added up to at a moment that was. */
@NullMarked
package io.fairlead.core.replay;

import org.jspecify.annotations.NullMarked;
