//! Implements traits for pointers.

/// Implements a trait for `Arc` and `Box` of what implements it, also of `dyn`: the methods are those of the content.
macro_rules! for_pointers {
    ($trait:ident: $($method:ident$([$lifetime:lifetime])?($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        $crate::pointers::for_pointers!(Arc $trait: $($method$([$lifetime])?($($argument: $type),*) -> $output;)*);
        $crate::pointers::for_pointers!(Box $trait: $($method$([$lifetime])?($($argument: $type),*) -> $output;)*);
    };
    ($pointer:ident $trait:ident: $($method:ident$([$lifetime:lifetime])?($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        impl<T: $trait + ?Sized> $trait for $pointer<T> {
            $(fn $method$(<$lifetime>)?(&$($lifetime)? self, $($argument: $type),*) -> $output {
                (**self).$method($($argument),*)
            })*
        }
    };
}

pub(crate) use for_pointers;
