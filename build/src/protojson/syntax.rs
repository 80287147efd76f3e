//! Recognizes patterns in pbjson's code.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, FieldValue, Ident, Lit, Member, Pat, Stmt};

use crate::names;

/// Spells as prost does the keywords that pbjson does not know.
pub(super) struct SpellAsProst;

impl VisitMut for SpellAsProst {
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if ident == "gen" {
            *ident = names::ident("gen");
        }
    }

    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        // A value of an enum.
        if path.segments.len() > 1
            && let Some(last) = path.segments.last_mut()
            && last.ident == "Self"
        {
            last.ident = names::ident("Self");
        }
    }
}

/// Returns the name in `struct_ser.serialize_field("name", …)?;`.
pub(super) fn written_field(statement: &Stmt) -> Option<String> {
    let Stmt::Expr(Expr::Try(attempt), _) = statement else { return None };
    let Expr::MethodCall(call) = &*attempt.expr else { return None };
    if call.method == "serialize_field" { first_string(&call.args) } else { None }
}

/// Returns the field in the first `self.field` of a block.
pub(super) fn find_self_field(block: &mut Block) -> Option<Ident> {
    struct Find(Option<Ident>);
    impl VisitMut for Find {
        fn visit_expr_field_mut(&mut self, access: &mut syn::ExprField) {
            if let (Expr::Path(base), syn::Member::Named(name)) = (&*access.base, &access.member)
                && base.path.is_ident("self")
                && self.0.is_none()
            {
                self.0 = Some(name.clone());
            }
            visit_mut::visit_expr_field_mut(self, access);
        }

        fn visit_macro_mut(&mut self, _: &mut syn::Macro) {}
    }
    let mut find = Find(None);
    find.visit_block_mut(block);
    find.0
}

/// Matches `!self.x.is_empty()`, `self.x != 0` and `self.x`, but not `self.x.is_some()`.
pub(super) fn is_default_check(condition: &Expr) -> bool {
    match condition {
        Expr::Unary(not) => {
            matches!(&*not.expr, Expr::MethodCall(call) if call.method == "is_empty")
        }
        Expr::Binary(comparison) => matches!(&*comparison.left, Expr::Field(_)),
        Expr::Field(_) => true,
        _ => false,
    }
}

/// Matches `if … { … }`, but not `if … { len += 1; }`.
pub(super) fn writes_field(statement: &Stmt) -> bool {
    let Stmt::Expr(Expr::If(condition), _) = statement else { return false };
    !matches!(condition.then_branch.stmts.as_slice(), [Stmt::Expr(Expr::Binary(_), _)])
}

pub(super) fn variant(pattern: &Pat) -> Option<String> {
    let Pat::Path(path) = pattern else { return None };
    let segments = &path.path.segments;
    (segments.len() == 2 && segments[0].ident == "GeneratedField")
        .then(|| segments[1].ident.to_string())
}

/// Returns the slot that an arm assigns.
pub(super) fn assigned(body: &Expr) -> Option<Ident> {
    let Expr::Block(block) = body else { return None };
    block.block.stmts.iter().find_map(|statement| match statement {
        Stmt::Expr(Expr::Assign(assign), _) => match &*assign.left {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        },
        _ => None,
    })
}

/// The fields of a message's struct by the slots that they are made of.
pub(super) type Places = BTreeMap<Ident, Member>;

/// Returns the fields in the `Ok(Message { field: slot__, other: other__.unwrap_or_default() })` at the end of a block.
pub(super) fn places_of(block: &Block) -> Places {
    struct Find(Places);
    impl<'ast> Visit<'ast> for Find {
        fn visit_field_value(&mut self, field: &'ast FieldValue) {
            let slot = match &field.expr {
                Expr::MethodCall(call) => &call.receiver,
                slot => slot,
            };
            if let Expr::Path(path) = slot
                && let Some(slot) = path.path.get_ident()
            {
                self.0.insert(slot.clone(), field.member.clone());
            }
        }
    }
    let mut find = Find(Places::new());
    if let Some(last) = block.stmts.last() {
        find.visit_stmt(last);
    }
    find.0
}

pub(super) fn string(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

pub(super) fn first_string<'a>(arguments: impl IntoIterator<Item = &'a Expr>) -> Option<String> {
    match arguments.into_iter().next()? {
        Expr::Lit(literal) => string(&literal.lit),
        _ => None,
    }
}

/// Returns the body of a function of this name, at any depth.
pub(super) fn body_of(block: &Block, function: &str) -> Option<Block> {
    struct Find<'a>(&'a str, Option<Block>);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
            if item.sig.ident == self.0 && self.1.is_none() {
                self.1 = Some(item.block.clone());
            }
            visit::visit_impl_item_fn(self, item);
        }
    }
    let mut find = Find(function, None);
    find.visit_block(block);
    find.1
}

/// Returns the arms of the first `match` in a block.
pub(super) fn arms_of(block: &Block) -> Vec<syn::Arm> {
    struct Find(Vec<syn::Arm>);
    impl<'ast> Visit<'ast> for Find {
        fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
            if self.0.is_empty() {
                self.0.clone_from(&expression.arms);
            }
        }
    }
    let mut find = Find(Vec::new());
    find.visit_block(block);
    find.0
}
