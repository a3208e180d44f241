//! Finding circles in what needs what.

use std::collections::VecDeque;

use crate::lists::Lists;

/// The circles of a graph: for each member of each strongly connected part a shortest circle through it, each circle once,
/// its lowest node first.
pub(crate) fn cycles(needs: &Lists<usize>) -> Vec<Vec<usize>> {
    let mut found = std::collections::BTreeSet::new();
    for part in components(needs) {
        for &member in &part {
            let Some(mut circle) = shortest(needs, member, &part) else { continue };
            let lowest = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(at, _)| at);
            circle.rotate_left(lowest);
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// Strongly connected components (Tarjan), without recursion, so that a long chain cannot overflow the stack.
fn components(needs: &Lists<usize>) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut index = vec![UNSEEN; needs.len()];
    let mut low = vec![0; needs.len()];
    let mut on_stack = vec![false; needs.len()];
    let (mut stack, mut parts, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..needs.len() {
        if index[root] != UNSEEN {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some(&mut (node, ref mut edge)) = work.last_mut() {
            if *edge == 0 {
                (index[node], low[node]) = (next, next);
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&need) = needs[node].get(*edge) {
                *edge += 1;
                if index[need] == UNSEEN {
                    work.push((need, 0));
                } else if on_stack[need] {
                    low[node] = low[node].min(index[need]);
                }
                continue;
            }
            work.pop();
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                let mut part = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    part.push(member);
                    if member == node {
                        break;
                    }
                }
                if part.len() > 1 || needs[node].contains(&node) {
                    parts.push(part);
                }
            }
        }
    }
    parts
}

fn shortest(needs: &Lists<usize>, first: usize, part: &[usize]) -> Option<Vec<usize>> {
    let mut from = std::collections::BTreeMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for &need in needs[node].iter().filter(|need| part.contains(need)) {
            if need == first {
                let mut path = vec![node];
                let mut at = node;
                while at != first {
                    at = *from.get(&at)?;
                    path.push(at);
                }
                path.reverse();
                return Some(path);
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = from.entry(need) {
                entry.insert(node);
                queue.push_back(need);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::lists::Lists;

    fn cycles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
        super::cycles(&needs.iter().cloned().collect::<Lists<usize>>())
    }

    // container A-109
    #[test]
    fn self_edges_triangles_and_several_circles_are_found_and_nothing_else() {
        assert_eq!(cycles(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(cycles(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(cycles(&[vec![0]]), [vec![0]]);
        assert_eq!(cycles(&[vec![1], vec![2], vec![0]]), [vec![0, 1, 2]]);
        assert_eq!(cycles(&[vec![1], vec![0], vec![3], vec![2], vec![0]]), [vec![0, 1], vec![2, 3]]);
        assert_eq!(cycles(&[vec![1, 2], vec![2], vec![0]]), [vec![0, 1, 2], vec![0, 2]], "a shortest one through each");
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_does_not_overflow_the_stack() {
        let mut needs: Vec<Vec<usize>> = (1..=100_000).map(|next| vec![next]).collect();
        needs.push(vec![]);
        assert!(cycles(&needs).is_empty());
    }
}
