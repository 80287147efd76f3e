//! Recognizes patterns in pbjson's code.

use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprLit, Ident, Item, Lit, Stmt};

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

fn first_string<'a>(arguments: impl IntoIterator<Item = &'a Expr>) -> Option<String> {
    match arguments.into_iter().next()? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Returns the method of serde's that an implementation calls for the struct of a message, and the name of that.
pub(super) fn serde_struct(item: &Item) -> Option<(Ident, String)> {
    struct Find(Option<(Ident, String)>);
    impl<'ast> Visit<'ast> for Find {
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            if call.method == "serialize_struct" || call.method == "deserialize_struct" {
                self.0 = first_string(&call.args).map(|name| (call.method.clone(), name));
            }
            visit::visit_expr_method_call(self, call);
        }
    }
    let mut find = Find(None);
    find.visit_item(item);
    find.0
}
