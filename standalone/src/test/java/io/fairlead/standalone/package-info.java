@NullMarked
package io.fairlead.standalone;

import org.jspecify.annotations.NullMarked;
