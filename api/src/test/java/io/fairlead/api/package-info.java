@NullMarked
package io.fairlead.api;

import org.jspecify.annotations.NullMarked;
