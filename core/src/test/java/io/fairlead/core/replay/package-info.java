@NullMarked
package io.fairlead.core.replay;

import org.jspecify.annotations.NullMarked;
