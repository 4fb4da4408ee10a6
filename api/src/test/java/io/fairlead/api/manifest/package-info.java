@NullMarked
package io.fairlead.api.manifest;

import org.jspecify.annotations.NullMarked;
