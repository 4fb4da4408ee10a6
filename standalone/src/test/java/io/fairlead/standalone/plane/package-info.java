@NullMarked
package io.fairlead.standalone.plane;

import org.jspecify.annotations.NullMarked;
