@NullMarked
package io.fairlead.runtime;

import org.jspecify.annotations.NullMarked;
